import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { writeBlob } from '../../src/cache/blobs.ts';
import type { Content, Fetch } from '../../src/cache/contents.ts';
import type { Layout } from '../../src/cache/layout.ts';
import type { FileRef } from '../../src/model/refs.ts';

/** The ref of a file in version p/a/v. */
export function fileRef(path: string, version = 'v'): FileRef {
  return { project: 'p', asset: 'a', version, path };
}

/** What some files must hold, if it is this text. */
export function contentOf(text: string, ...files: readonly [FileRef, ...FileRef[]]): Content {
  const hex = createHash('md5').update(text).digest('hex');
  return { source: files[0], digest: { algorithm: 'md5', hex }, size: Buffer.byteLength(text), files };
}

/** Gives these texts one after the other, as a registry would, and counts how often it was asked. */
export function fetcher(layout: Layout, ...texts: string[]): Fetch & { readonly calls: number } {
  let calls = 0;
  const fetch: Fetch = (content) => {
    const text = texts[calls++];
    if (text === undefined) throw new Error('nothing was to be fetched');
    return writeBlob(layout, content.source.project, content, content.source.path, Readable.from([Buffer.from(text)]));
  };
  return Object.defineProperty(fetch, 'calls', { get: () => calls }) as Fetch & { readonly calls: number };
}
