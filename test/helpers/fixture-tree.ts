import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TargetType } from '../../src/model/tree.ts';
import type { RecordEntry } from '../../src/model/tree-record.ts';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';

interface FixtureEntry {
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink';
  readonly size?: number;
  readonly content?: string | null;
  readonly target?: string;
  readonly target_type?: TargetType;
}

/** Reads a tree that test/fixtures has. */
export function readFixture(name: 'test_symlinks' | 'testdata'): FixtureEntry[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')) as FixtureEntry[];
}

/** Gives a tree as the files of a version, its record among them. */
export function versionFiles(entries: readonly FixtureEntry[]): Record<string, string> {
  const files = Object.fromEntries(
    entries.flatMap(({ path, type, size, content }) =>
      type === 'file' ? [[path, content ?? 'x'.repeat(size ?? 0)]] : [],
    ),
  );
  return { ...files, [TREE_RECORD]: formatTreeRecord({ entries: entries.map(toRecord) }) };
}

/** Lays a tree out in a folder. */
export function layOutFixture(root: string, name: 'test_symlinks' | 'testdata'): void {
  mkdirSync(root, { recursive: true });
  for (const { path, type, target = '', size, content } of readFixture(name)) {
    const at = join(root, path);
    if (type === 'dir') mkdirSync(at, { recursive: true });
    else if (type === 'symlink') symlinkSync(target, at);
    else {
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, content ?? 'x'.repeat(size ?? 0));
    }
  }
}

/** Gives a tree as `treeShape` reads it from a disk. */
export function shapeOf(entries: readonly FixtureEntry[]): Record<string, string> {
  return Object.fromEntries(
    entries.map(({ path, type, size, content, target }) => [
      path,
      type === 'dir' ? '/' : type === 'symlink' ? `-> ${target}` : (content ?? 'x'.repeat(size ?? 0)),
    ]),
  );
}

function toRecord({ path, type, target = '', target_type: targetType = 'unknown' }: FixtureEntry): RecordEntry {
  if (type === 'symlink') return { type, path, target, targetType };
  return { type: type === 'dir' ? 'directory' : 'file', path };
}
