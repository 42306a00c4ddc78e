import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What stands at a path: a file with this text, a symlink, or a folder. */
export type Item = string | { link: string } | 'folder/';

/** Lays files out in a folder: `{ 'a/b': 'text', 'c': { link: 'a/b' }, 'd': 'folder/' }`. */
export function layOut(root: string, items: Readonly<Record<string, Item>>): void {
  for (const [path, item] of Object.entries(items)) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (item === 'folder/') mkdirSync(at, { recursive: true });
    else if (typeof item === 'string') writeFileSync(at, item);
    else symlinkSync(item.link, at);
  }
}
