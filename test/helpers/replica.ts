import { lutimesSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type SyncOptions, type SyncResult, syncFolders } from '../../src/index.ts';
import { fsPath } from '../../src/model/local-path.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import { type Item, layOut } from './files.ts';
import { snapshot } from './snapshot.ts';
import { tempFolder } from './temp-folder.ts';

/** Two folders side by side, and what must never change beside them. */
export interface Pair {
  readonly top: string;
  readonly src: string;
  readonly dst: string;
  /** Holds a file that links may lead to. */
  readonly outside: string;
}

export async function makePair(
  source: Readonly<Record<string, Item>> = {},
  destination: Readonly<Record<string, Item>> = {},
): Promise<Pair> {
  const top = await tempFolder();
  const [src = '', dst = '', outside = ''] = ['src', 'dst', 'outside'].map((name) => join(top, name));
  for (const folder of [src, dst, outside]) mkdirSync(folder);
  layOut(outside, { canary: 'alive', 'folder/canary': 'alive' });
  layOut(src, source);
  layOut(dst, destination);
  return { top, src, dst, outside };
}

/** What a folder holds, with contents, modes and times as exact as they are copied. */
export async function look(root: string): Promise<unknown[]> {
  const entries = await scanFolder(root, { facts: true });
  return entries.map((entry) => {
    if (entry.type === 'special') return entry;
    const { mtime, ...rest } = entry;
    const content =
      entry.type === 'file' && (entry.mode ?? 0) & 0o400 ? readFileSync(fsPath(join(root, entry.path)), 'latin1') : '';
    return { ...rest, mtime: mtime?.slice(0, -4), content };
  });
}

/** Replicates, and expects what always holds: an equal folder, no operation in a second run, and nothing else changed. */
export async function sync({ top, src, dst }: Pair, options: SyncOptions = {}): Promise<SyncResult> {
  const before = snapshot(top, dst);
  const result = await syncFolders(src, dst, { force: true, ...options });
  expect(snapshot(top, dst)).toEqual(before);
  expect(result.failures).toEqual([]);
  if (options.remove !== false && !options.exclude && !options.followLinks)
    expect(await look(dst)).toEqual(await look(src));
  expect((await syncFolders(src, dst, { ...options, force: true })).operations).toEqual([]);
  return result;
}

/** What was done, in few words; a name for a short time is `(park)`. */
export function words({ operations }: Pick<SyncResult, 'operations'>): string[] {
  return operations.map((operation) => {
    const from = 'from' in operation ? ` ${operation.from}` : '';
    return `${operation.op}${from} ${operation.path}`.replace(/\.\.gypsum-\S+/g, '(park)');
  });
}

/** The same without what gets another time alone: that depends on how fast files are made. */
export function changes(result: Pick<SyncResult, 'operations'>): string[] {
  return words(result).filter((word) => !word.startsWith('touch'));
}

/** Gives an entry another time than it has, of a symlink its own. */
export function age(path: string, seconds = 1_600_000_000.123456): void {
  lutimesSync(path, seconds, seconds);
}
