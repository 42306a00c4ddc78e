import { sep } from 'node:path';
import { MAX_KEY_BYTES } from '../model/names.ts';

/**
 * The longest part of a path that is written; file systems hold 255 bytes.
 *
 * Units: bytes of UTF-8
 */
const MAX_PART_BYTES = 240;

// Windows holds fewer characters than the others, and no dot or space at the end.
const IMPOSSIBLE = process.platform === 'win32' ? /[%\\\u0000-\u001f<>:"|?*]|[. ]$/g : /[%\\\u0000]/g;
const DOTS = /^\.{1,2}$/;

/**
 * Gives the path, relative to the folder of objects, of the file that holds a key's object; nothing for a key that
 * can hold none, such as one with an empty component.
 *
 * Every component is a name in a folder, so that no key leads out of it. Characters that a file system refuses or
 * reads in its own way stand as `%XX`, `%` itself too. A component that is too long goes on in a folder whose name
 * ends with a lone `%`.
 *
 * Shape:  p/a/v/file.txt    p/a/v/100%25.txt    p/a/v/<240 bytes>%/<the rest>
 */
export function keyToPath(key: string): string | undefined {
  if (key === '' || !key.isWellFormed() || Buffer.byteLength(key) > MAX_KEY_BYTES) return undefined;
  return componentsToPath(key.split('/'));
}

/** Like `keyToPath` for the folder of all keys that begin with `folder`, which ends with `/` or is empty. */
export function folderToPath(folder: string): string | undefined {
  if (folder === '') return '';
  return keyToPath(folder.slice(0, -1));
}

/** Reads one part of a path back: its text, and whether the component goes on in the next part. */
export function readPart(part: string): { text: string; goesOn: boolean } {
  const goesOn = part.endsWith('%');
  const text = (goesOn ? part.slice(0, -1) : part).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return { text, goesOn };
}

function componentsToPath(components: readonly string[]): string | undefined {
  if (components.includes('')) return undefined;
  return components.map((component) => splitLong(escapeComponent(component))).join(sep);
}

function escapeComponent(component: string): string {
  const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return DOTS.test(component) ? component.replace(/\./g, percent) : component.replace(IMPOSSIBLE, percent);
}

function splitLong(escaped: string): string {
  if (Buffer.byteLength(escaped) <= MAX_PART_BYTES) return escaped;
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const [unit] of escaped.matchAll(/%[0-9A-F]{2}|./gsu)) {
    const length = Buffer.byteLength(unit);
    if (bytes + length > MAX_PART_BYTES) {
      parts.push(`${part}%`);
      part = '';
      bytes = 0;
    }
    part += unit;
    bytes += length;
  }
  return [...parts, part].join(sep);
}
