import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { isGypsumError } from '../../src/errors.ts';
import { parseMd5 } from '../../src/model/digest.ts';
import { keys } from '../../src/model/keys.ts';
import { formatFileRef } from '../../src/model/refs.ts';
import type { Storage } from '../../src/server/index.ts';
import type { Slug } from './slugs.ts';

/**
 * Stores what a request puts, past the registry, as a bucket would that knows nothing of sessions: if it has this MD5,
 * and as many bytes as the request says. Nothing if it has not.
 */
export async function storeContent(storage: Storage, request: Request, file: Slug): Promise<Response | undefined> {
  const digest = parseMd5(file.md5sum);
  if (digest === undefined || request.bodyUsed) return undefined;
  const body = request.body === null ? Readable.from([]) : Readable.fromWeb(request.body as ReadableStream);
  const size = Number(request.headers.get('content-length') ?? 0);
  try {
    const staged = await storage.stage(body, { digest, size }, formatFileRef(file));
    await staged.publish(keys.file(file));
  } catch (error) {
    if (isGypsumError(error, 'wrong-content')) return undefined;
    throw error;
  }
  return new Response(null, { headers: { etag: `"${digest.hex}"`, 'content-length': '0' } });
}
