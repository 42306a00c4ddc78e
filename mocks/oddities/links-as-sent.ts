import type { ManifestLink } from '../../src/model/manifest.ts';
import { type Announced, changeManifest, readStart } from './announced.ts';
import type { Oddity } from './world.ts';

const FIELDS = ['project', 'asset', 'version', 'path'];

/** Links are stored with whatever else they were sent with, also an `ancestor`, unless the target has one itself. */
export const linksAsSent: Oddity = (world) => async (request, next) => {
  const start = await readStart(request);
  const answer = await next();
  const odd = start?.files.filter(({ link }) => Object.keys(link ?? {}).some((field) => !FIELDS.includes(field))) ?? [];
  if (start === undefined || odd.length === 0 || !answer.ok) return answer;
  await changeManifest(world, start.ref, (files) => {
    for (const file of odd) addFields(files, file);
  });
  return answer;
};

function addFields(files: Parameters<Parameters<typeof changeManifest>[2]>[0], { path, link }: Announced): void {
  const entry = files.get(String(path));
  if (entry?.link !== undefined)
    files.set(String(path), { ...entry, link: { ...(link as ManifestLink), ...entry.link } });
}
