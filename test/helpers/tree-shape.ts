import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What stands in a folder, to its empty folders: text of files, `-> text` of symlinks, and `/` for folders. */
export function treeShape(root: string): Record<string, string> {
  const shape: Record<string, string> = {};
  const visit = (path: string): void => {
    const at = join(root, path);
    const stats = lstatSync(at);
    if (path !== '') {
      shape[path] = stats.isSymbolicLink()
        ? `-> ${readlinkSync(at)}`
        : stats.isDirectory()
          ? '/'
          : readFileSync(at, 'utf8');
    }
    if (stats.isDirectory()) for (const name of readdirSync(at)) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return shape;
}
