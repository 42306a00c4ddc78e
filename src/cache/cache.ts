import type { Buffer } from 'node:buffer';
import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { type FileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { windowsFault } from '../model/windows-names.ts';
import { publishDocument, publishOnce, removeIfThere } from './atomic.ts';
import { statIfThere } from './blobs.ts';
import { isShared, makeRoot, notShared } from './folders.ts';
import { createLayout, type Layout, type RecordName } from './layout.ts';
import { letGoOf, readIfThere, readLargeIfThere } from './read-document.ts';
import { checkOwner, checkRegistryName, parseMark, type RegistryMark } from './registry-mark.ts';

/** One cache folder, which belongs to one registry. */
export interface Cache {
  readonly layout: Layout;
  /** Throws `cache-mismatch` if the folder belongs to another registry. Writes nothing: a failure may leave no trace. */
  check(): Promise<void>;
  /**
   * Hears the name that the registry has given itself. Throws `cache-mismatch` if the cache was filled by another one at
   * the same address: that one's versions are not this one's.
   */
  meet(name: string): Promise<void>;
  /** Makes the folder and marks it with its registry, if need be; to be called before anything is written. */
  open(): Promise<void>;
  /** Gives what is remembered of an immutable version; nothing if it is not. */
  readRecord(ref: VersionRef, name: RecordName): Promise<Buffer | undefined>;
  /** Remembers a document of an immutable version, as the registry sent it, for us and for the other clients. */
  writeRecord(ref: VersionRef, name: RecordName, content: Uint8Array): Promise<void>;
  /**
   * Tells the other clients that every file of a version is there, with the documents that they look for; not any
   * longer, if somebody has taken some of it away.
   */
  markComplete(ref: VersionRef, files: Iterable<FileRef>): Promise<void>;
}

/**
 * Throws `destination-refused` if a file that was found is another version's, whose names the file system takes for the
 * same: what it says must not be believed of this one.
 */
async function checkSpelling(file: string, { project, asset, version }: VersionRef): Promise<void> {
  // Some file systems give names back in another Unicode form than they were given.
  const spelled = dirname(await realpath(file)).normalize();
  if (spelled.endsWith(join(sep, project, asset, version).normalize())) return;
  throw new GypsumError(
    'destination-refused',
    `The cache has ${showText(spelled)}, which its file system takes for ${formatRef({ project, asset, version })}.`,
    {
      hint: 'Give this version a cache folder of its own (--cache), or one on a file system that tells such names apart.',
      details: { project, asset, version },
    },
  );
}

/** Throws `destination-refused` for a version that has no folder of its own on Windows: `a:b` would be hidden in `a`. */
function checkHoldable({ project, asset, version }: VersionRef): void {
  const fault = windowsFault(`${project}/${asset}/${version}`);
  if (fault === undefined) return;
  throw new GypsumError(
    'destination-refused',
    `Windows cannot hold ${formatRef({ project, asset, version })}: it ${fault}.`,
    {
      hint: 'Use another system for this version, such as the Windows Subsystem for Linux.',
      details: { project, asset, version },
    },
  );
}

/** Source: https://bford.info/cachedir/ */
const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of the gypsum clients. Backup programs may leave it out.
`;

export interface CacheOptions {
  /** What is made is for the group of its folder, too. @default if its folder says so */
  shared?: boolean;
  /** @default this one */
  platform?: string;
}

export function createCache(
  root: string,
  registryUrl: string,
  { shared = false, platform = process.platform }: CacheOptions = {},
): Cache {
  const layout = createLayout(root);

  let met: string | undefined;

  const readMark = async (): Promise<RegistryMark | undefined> => {
    const text = await readIfThere(layout.registry);
    if (text === undefined) return undefined;
    const mark = parseMark(text);
    if (mark !== undefined) return mark;
    throw new GypsumError('cache-mismatch', `The cache ${showText(root)} does not say which registry it belongs to.`, {
      hint: `Its file ${showText(layout.registry)} is damaged. Remove that file if the cache is ${registryUrl}'s.`,
      details: { cacheDir: root, url: registryUrl },
    });
  };

  const check = async (): Promise<boolean> => {
    const mark = await readMark();
    if (mark !== undefined) checkOwner(mark, root, registryUrl);
    return mark !== undefined;
  };

  const open = async (): Promise<void> => {
    const isMade = await check();
    if (isMade && shared && !isShared(layout)) throw notShared(root);
    if (isMade) return;
    makeRoot(layout, shared);
    if ((await readIfThere(layout.tag)) === undefined) await publishDocument(layout, layout.tag, CACHEDIR_TAG);
    // Two registries may come to one new folder at once: the second has to go.
    const own: RegistryMark = { url: registryUrl, ...(met === undefined ? {} : { name: met }) };
    if (!(await publishOnce(layout, layout.registry, JSON.stringify(own)))) await check();
  };

  const meet = async (name: string): Promise<void> => {
    if (name === met) return;
    const own = await readMark();
    checkRegistryName(own, name, root, registryUrl);
    met = name;
    if (own !== undefined && own.name === undefined) {
      await publishDocument(layout, layout.registry, JSON.stringify({ ...own, name }));
    }
  };

  return {
    layout,
    meet,
    check: async () => void (await check()),
    open,
    async readRecord(ref, name) {
      if (platform === 'win32') checkHoldable(ref);
      const file = layout.record(ref, name);
      const content = await readLargeIfThere(file);
      if (content === undefined) return undefined;
      try {
        await checkSpelling(file, ref);
        return content;
      } catch (error) {
        // Somebody who frees space has just removed it.
        if (isSystemError(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
    async writeRecord(ref, name, content) {
      if (platform === 'win32') checkHoldable(ref);
      await open();
      await publishDocument(layout, layout.record(ref, name), content);
      // A file of its own: whoever writes into the other clients' file does not change what we remember.
      await publishDocument(layout, layout.document(ref, name), content);
    },
    async markComplete(ref, files) {
      const file = layout.complete(ref);
      if ((await readIfThere(file)) !== undefined) return;
      const documents = ['summary', 'manifest'] as const;
      for (const name of documents) {
        const copy = layout.document(ref, name);
        if (statIfThere(copy) !== undefined) continue;
        const content = await readLargeIfThere(layout.record(ref, name));
        if (content === undefined) continue;
        await publishDocument(layout, copy, content);
        letGoOf(content);
      }
      await publishDocument(layout, file, '');
      // Where locks lie, somebody may be taking it away. He looks for a mark when he is done: the mark goes then, or he
      // puts all back. If he looked before this one was there, he was done by then, and what he took is missing now.
      const isThere = (place: string) => statIfThere(place) !== undefined;
      if (!documents.every((name) => isThere(layout.document(ref, name)))) return removeIfThere(file);
      const pace = createPace();
      for (const one of files) {
        if (!isThere(layout.file(one))) return removeIfThere(file);
        if (pace.due()) await pace.rest();
      }
    },
  };
}
