import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import type { VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { place, publishDocument } from './atomic.ts';
import { createLayout, type Layout, type RecordName } from './layout.ts';
import { parseJsonIfAny, readIfThere } from './read-document.ts';

/** One cache folder, which belongs to one registry. */
export interface Cache {
  readonly layout: Layout;
  /** Makes the folder if need be, and throws `cache-mismatch` if it belongs to another registry. */
  open(): Promise<void>;
  /** Gives what is remembered of an immutable version; nothing if it is not. */
  readRecord(ref: VersionRef, name: RecordName): Promise<string | undefined>;
  /** Remembers a document of an immutable version, as the registry sent it, for us and for the other clients. */
  writeRecord(ref: VersionRef, name: RecordName, content: Uint8Array): Promise<void>;
  /** Tells the other clients that every file of a version is there. */
  markComplete(ref: VersionRef): Promise<void>;
}

/** Source: https://bford.info/cachedir/ */
const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of the gypsum clients. Backup programs may leave it out.
`;

const mark = z.object({ url: z.string() });

export function createCache(root: string, registryUrl: string): Cache {
  const layout = createLayout(root);
  let opened: Promise<void> | undefined;

  const readMark = async (): Promise<string | undefined> => {
    const text = await readIfThere(layout.registry);
    if (text === undefined) return undefined;
    const parsed = mark.safeParse(parseJsonIfAny(text));
    if (parsed.success) return parsed.data.url;
    throw new GypsumError('cache-mismatch', `The cache ${showText(root)} does not say which registry it belongs to.`, {
      hint: `Its file ${showText(layout.registry)} is damaged. Remove that file if the cache is ${registryUrl}'s.`,
      cause: parsed.error,
    });
  };

  const openOnce = async (): Promise<void> => {
    const owner = await readMark();
    if (owner === undefined) {
      await mkdir(root, { recursive: true });
      if ((await readIfThere(layout.tag)) === undefined) await publishDocument(layout, layout.tag, CACHEDIR_TAG);
      await publishDocument(layout, layout.registry, JSON.stringify({ url: registryUrl }));
    } else if (owner !== registryUrl) {
      throw new GypsumError('cache-mismatch', `The cache ${showText(root)} belongs to the registry ${owner}.`, {
        hint: `Give another cache folder for ${registryUrl}: two registries may use one name for different data.`,
        details: { cacheDir: root, owner, url: registryUrl },
      });
    }
  };

  return {
    layout,
    open() {
      opened ??= openOnce().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    readRecord: (ref, name) => readIfThere(layout.record(ref, name)),
    async writeRecord(ref, name, content) {
      const record = layout.record(ref, name);
      await publishDocument(layout, record, content);
      await place(layout, record, layout.document(ref, name));
    },
    async markComplete(ref) {
      const file = layout.complete(ref);
      if ((await readIfThere(file)) === undefined) await publishDocument(layout, file, '');
    },
  };
}
