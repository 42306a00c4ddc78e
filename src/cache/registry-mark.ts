import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { showText } from '../model/text.ts';

const registryMark = z.object({ url: z.string(), name: z.string().optional() });

/** Which registry a cache belongs to: its URL, and the name that it has given itself. */
export type RegistryMark = z.infer<typeof registryMark>;

/** Reads the mark of a cache; nothing if it is damaged. */
export function parseMark(text: string): RegistryMark | undefined {
  return registryMark.safeParse(parseJsonIfAny(text)).data;
}

/** Throws `cache-mismatch` if a cache belongs to another registry than the one with this URL. */
export function checkOwner({ url: owner }: RegistryMark, root: string, url: string): void {
  if (owner === url) return;
  throw new GypsumError('cache-mismatch', `The cache ${showText(root)} belongs to the registry ${owner}.`, {
    hint: `Give another cache folder for ${url}: two registries may use one name for different data.`,
    details: { cacheDir: root, owner, url },
  });
}

/** Throws `cache-mismatch` if a cache was filled by a registry of another name at the same URL. */
export function checkRegistryName(mark: RegistryMark | undefined, name: string, root: string, url: string): void {
  if (mark?.name === undefined || mark.name === name || mark.url !== url) return;
  throw new GypsumError('cache-mismatch', `The cache ${showText(root)} was filled by another registry at ${url}.`, {
    hint: 'The registry there is a new one. Remove that cache folder if you need it no more, or give another one.',
    details: { cacheDir: root, url },
  });
}
