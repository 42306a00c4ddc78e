import { Buffer } from 'node:buffer';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/** Gives the text of a small file of the cache; nothing if it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return (await readBytesIfThere(path))?.toString('utf8');
}

/** Gives what a file of the cache holds; nothing if it is not there. */
export async function readBytesIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Gives what a large file of the cache holds, in memory that `letGoOf` gives back at once. V8 keeps other memory until its heap is
 * full: of the manifest of a million files, 150 MiB.
 */
export async function readLargeIfThere(path: string): Promise<Buffer | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const content = Buffer.from(new ArrayBuffer(size, { maxByteLength: size }));
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(content, at, size - at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return content.subarray(0, at);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Empties what `readLargeIfThere` has given. */
export function letGoOf({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(0);
}
