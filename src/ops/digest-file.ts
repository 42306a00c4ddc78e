import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { openPlace, type Place } from '../tree/places.ts';
import { readSmall } from '../tree/read-small.ts';
import { fileChanged } from './file-changed.ts';

/** What was read from a file. */
export interface Digested {
  readonly md5sum: string;
  /** Units: bytes */
  readonly size: number;
}

/** Gives the MD5 of a text in UTF-8. */
export function digestText(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** Reads a file and gives its digest and size; throws `file-changed` if it is not there. */
export async function digestFile(
  source: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<Digested> {
  const hash = createHash('md5');
  let size = 0;
  let place: Place | undefined;
  try {
    place = openPlace(source);
    for await (const chunk of createReadStream(fsPath(place.path), signal === undefined ? {} : { signal })) {
      size += chunk.length;
      hash.update(chunk);
      onBytes?.(chunk.length);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(source, error);
  } finally {
    place?.close();
  }
  return { md5sum: hash.digest('hex'), size };
}

/** The same for a small file that had `size` bytes, all at once. */
export function digestSmall(source: string, size: number): Digested {
  let content: Buffer;
  try {
    content = readSmall(source, size);
  } catch (error) {
    throw explain(source, error);
  }
  return { md5sum: createHash('md5').update(content).digest('hex'), size: content.length };
}

function explain(source: string, error: unknown): unknown {
  return isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR') ? fileChanged(source, error) : error;
}
