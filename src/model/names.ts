import { GypsumError } from '../errors.ts';
import { showText } from './text.ts';

/** The three names that a version is addressed by. */
export type NameKind = 'project' | 'asset' | 'version';

/**
 * The longest key a registry stores.
 *
 * Units: bytes of UTF-8
 * Source: S3 and R2
 */
export const MAX_KEY_BYTES = 1024;

/** Returns a project, asset or version name, or throws `invalid-argument`. */
export function checkName(kind: NameKind, name: string): string {
  const fault = nameFault(name);
  if (fault) {
    throw new GypsumError('invalid-argument', `The ${kind} name "${showText(name)}" ${fault}.`, {
      hint: `Give ${kind === 'asset' ? 'an' : 'a'} ${kind} name without slashes that does not begin with "..".`,
      details: { kind, name },
    });
  }
  return name;
}

/** Returns the path of a file in a version, or throws `invalid-argument`. */
export function checkPath(path: string): string {
  const fault = pathFault(path);
  if (fault) {
    throw new GypsumError('invalid-argument', `The path "${showText(path)}" ${fault}.`, {
      hint: 'Give a path relative to the version, such as "folder/file.txt".',
      details: { path },
    });
  }
  return path;
}

/**
 * Returns the key of an object, or throws `invalid-argument` if no registry can have it: names that are possible each may
 * be too long together, which the public registry answers as a failure of its own.
 */
export function checkKey(key: string): string {
  if (key.length <= MAX_KEY_BYTES / 3 || Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  throw new GypsumError('invalid-argument', `"${showText(key)}" is longer than ${MAX_KEY_BYTES} bytes.`, {
    hint: 'No registry has anything under so long a name.',
    details: { key },
  });
}

/** Says what makes a name impossible, as the end of a sentence; nothing if it is fine. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === '.') return 'is "."';
  if (name.startsWith('..')) return 'begins with ".."';
  if (name.includes('/')) return 'contains "/"';
  return textFault(name);
}

/** Says what makes a path in a version impossible, as the end of a sentence; nothing if it is fine. */
export function pathFault(path: string): string | undefined {
  if (isSound(path)) return undefined;
  if (path === '') return 'is empty';
  if (path.startsWith('/')) return 'is absolute';
  if (path.endsWith('/')) return 'ends with "/"';
  if (path.includes('//')) return 'has an empty component';
  if (path.startsWith('..') || path.includes('/..')) return 'has a component that begins with ".."';
  if (path === '.' || path.startsWith('./') || path.endsWith('/.') || path.includes('/./')) {
    return 'has a component that is "."';
  }
  return textFault(path);
}

/** Most paths are; of each of 100,000, to look for one fault after the other takes as long as to read it. */
function isSound(path: string): boolean {
  return path.length <= MAX_KEY_BYTES / 3 && !FAULTY.test(path) && path.isWellFormed();
}

/** An empty part, one that is "." or begins with "..", a backslash or a NUL character. */
const FAULTY = /^(?:\/|$)|\/(?:\/|$)|(?:^|\/)\.(?:\.|\/|$)|[\\\0]/;

function textFault(text: string): string | undefined {
  if (text.includes('\\')) return 'contains a backslash';
  if (text.includes('\0')) return 'contains a NUL character';
  if (!text.isWellFormed()) return 'is not valid Unicode (UTF-8)';
  if (text.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(text) > MAX_KEY_BYTES) {
    return `is longer than ${MAX_KEY_BYTES} bytes`;
  }
  return undefined;
}
