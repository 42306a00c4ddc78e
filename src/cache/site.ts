import type { Buffer } from 'node:buffer';
import type { VersionRef } from '../model/refs.ts';
import { ifReachable } from './if-reachable.ts';
import { createLayout, type Layout, type RecordName } from './layout.ts';
import { readIfThere, readLargeIfThere } from './read-document.ts';
import { checkOwner, checkRegistryName, parseMark, type RegistryMark } from './registry-mark.ts';

/**
 * A cache that others fill, below one's own: what it has need not be fetched. It is only ever read, and nothing of it is
 * believed that was not verified. That it goes, or breaks, costs no more than to fetch what it had.
 */
export interface Site {
  readonly layout: Layout;
  /** Whether a cache is there. Throws `cache-mismatch` if it belongs to another registry. */
  isThere(): Promise<boolean>;
  /** Hears the name that the registry has given itself. Throws `cache-mismatch` if another one has filled this cache. */
  meet(name: string): Promise<void>;
  /** Gives what it remembers of an immutable version, if anything. */
  readRecord(ref: VersionRef, name: RecordName): Promise<Buffer | undefined>;
}

export function createSite(root: string, registryUrl: string): Site {
  const layout = createLayout(root);

  /** A folder without a mark that can be read is no cache of ours. */
  const readMark = async (): Promise<RegistryMark | undefined> => {
    const text = await ifReachable(() => readIfThere(layout.registry));
    const mark = text === undefined ? undefined : parseMark(text);
    if (mark !== undefined) checkOwner(mark, root, registryUrl);
    return mark;
  };

  return {
    layout,
    isThere: async () => (await readMark()) !== undefined,
    meet: async (name) => checkRegistryName(await readMark(), name, root, registryUrl),
    async readRecord(ref, name) {
      if ((await readMark()) === undefined) return undefined;
      return ifReachable(() => readLargeIfThere(layout.record(ref, name)));
    },
  };
}
