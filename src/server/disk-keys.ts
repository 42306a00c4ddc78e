import { sep } from 'node:path';
import { isStorable } from './storage.ts';

/**
 * How names are written: `plain` as they are, but for what no file system takes; `portable` so that they stay apart on
 * file systems that fold case or normalise Unicode, and on Windows.
 */
export type Naming = 'plain' | 'portable';

/**
 * The longest part of a path that is written; file systems hold 255 bytes.
 *
 * Units: bytes of UTF-8
 */
const MAX_PART_BYTES = 240;

/** Ends the name of an object's file whose own name is needed for a folder: `p/a` beside `p/a/v`. */
const ASIDE = '%=';

const DOTS = /^\.{1,2}$/;
const IMPOSSIBLE = /[%\\\u0000]/gu;
// Windows takes no dot or space at the end, and some names are its devices.
const NOT_PORTABLE = /[^a-z0-9!#$&'()+,\-;=@^_`{}~ .]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/gu;

/**
 * Gives the path, relative to the folder of objects, of the file that holds a key's object; nothing for a key that no
 * storage holds.
 *
 * Every component is a name in a folder, so that no key leads out of it. What cannot be written stands as `%XX`, a byte
 * of its UTF-8, and so does `%` itself. A component that is too long goes on in a folder whose name ends with a lone
 * `%`.
 *
 * Shape:  p/a/v/file.txt    p/a/v/100%25.txt    p/a/v/<240 bytes>%/<the rest>
 */
export function keyToPath(key: string, naming: Naming): string | undefined {
  return isStorable(key) ? componentsToPath(key.split('/'), naming) : undefined;
}

/** Like `keyToPath` for the folder of all keys that begin with `folder`, which ends with `/` or is empty. */
export function folderToPath(folder: string, naming: Naming): string | undefined {
  if (folder === '') return '';
  return keyToPath(folder.slice(0, -1), naming);
}

/** Gives where an object is kept while its own path is a folder's. */
export function asidePath(path: string): string {
  return path + ASIDE;
}

/** Says what one part of a path is: `raw` is a piece of an escaped component, which may go on in the next part. */
export function readPart(part: string): { raw: string; goesOn: boolean; isAside: boolean } {
  const isAside = part.endsWith(ASIDE);
  const goesOn = part.endsWith('%');
  return { raw: isAside ? part.slice(0, -ASIDE.length) : goesOn ? part.slice(0, -1) : part, goesOn, isAside };
}

/** Reads an escaped component back. */
export function unescapeComponent(raw: string): string {
  return raw.replace(/(?:%[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'));
}

function componentsToPath(components: readonly string[], naming: Naming): string {
  return components.map((component) => splitLong(escapeComponent(component, naming))).join(sep);
}

function escapeComponent(component: string, naming: Naming): string {
  if (DOTS.test(component)) return percent(component);
  // Of a device's name one escaped letter is enough.
  const escaped = (text: string) => (/^[a-z]/.test(text) ? percent(text.slice(0, 1)) + text.slice(1) : percent(text));
  return component.replace(naming === 'plain' ? IMPOSSIBLE : NOT_PORTABLE, escaped);
}

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
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
