import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isSystemError } from '../../src/errors.ts';
import { fileTime } from '../../src/tree/file-time.ts';

const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.constantFrom('', 'x', 'y', 'long', 'much longer');

/** May not be possible, and throws then. */
type Edit = (root: string) => void;

export const randomEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(path, content).map(
    ([at, text]): Edit =>
      (root) => {
        mkdirSync(join(root, at, '..'), { recursive: true });
        writeFileSync(join(root, at), text);
      },
  ),
  // Neither size nor time tells.
  fc.tuple(path, content).map(
    ([at, text]): Edit =>
      (root) => {
        const { mtimeNs, size } = lstatSync(join(root, at), { bigint: true });
        writeFileSync(join(root, at), text.padEnd(Number(size)).slice(0, Number(size)), { flag: 'r+' });
        utimesSync(join(root, at), fileTime(mtimeNs), fileTime(mtimeNs));
      },
  ),
  path.map(
    (at): Edit =>
      (root) =>
        mkdirSync(join(root, at), { recursive: true }),
  ),
  path.map(
    (at): Edit =>
      (root) =>
        rmSync(join(root, at), { recursive: true }),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Edit =>
      (root) =>
        renameSync(join(root, from), join(root, to)),
  ),
  fc.tuple(path, path).map(
    ([at, target]): Edit =>
      (root) =>
        symlinkSync(`${root}-nowhere/${target}`, join(root, at)),
  ),
  fc.tuple(path, fc.constantFrom(0o600, 0o644, 0o711)).map(
    ([at, mode]): Edit =>
      (root) => {
        if (lstatSync(join(root, at)).isFile()) chmodSync(join(root, at), mode);
      },
  ),
);

/** Makes edits that may not be possible; says nothing of those that are not. */
export function attempt(one: Edit, root: string): void {
  try {
    one(root);
  } catch (error) {
    const impossible = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'EINVAL', 'ELOOP'];
    if (!isSystemError(error, ...impossible)) throw error;
  }
}
