import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import { BULK_TYPE, type BulkLine, MAX_BULK_FILE, MAX_BULK_FILES } from '../model/bulk-read.ts';
import { keys } from '../model/keys.ts';
import { pathFault } from '../model/names.ts';
import type { FileRef, VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { checkVersionNames } from './check-version-names.ts';
import type { ServerContext } from './context.ts';
import { isOwnFailure, refusalOf, refuse, webStream } from './http.ts';
import { readJson } from './read-json.ts';
import { factsOf } from './request-facts.ts';
import type { Handlers } from './routes.ts';
import type { StoredObject } from './storage.ts';

/** Units: bytes. As many paths as may be asked for, each as long as most ever are. */
const LIMIT = 1024 * 1024;

/** How many files are opened at once: all of them are in memory together, before any of them is sent. */
const AT_ONCE = 16;

const EMPTY = { start: 0, end: -1 };

const bodySchema = z.object({ paths: z.array(z.string()).max(MAX_BULK_FILES) });

/**
 * The route that answers many small files of a version at once (see `BulkLine`): whoever is far away waits once for all
 * of them. Each is found as if it were asked for alone, so that what is a link in the manifest is not there.
 *
 * A file is read to its end before its line is written: what cannot be read costs none of the others.
 */
export function bulkRoute({ storage, onError }: ServerContext): Pick<Handlers, 'bulk'> {
  async function answer(request: Request, ref: FileRef): Promise<Buffer> {
    const { path } = ref;
    try {
      const content = await read(ref);
      return Buffer.concat([line({ path, size: content.length }), content]);
    } catch (error) {
      const { status, reason } = refusalOf(error);
      if (isOwnFailure(status)) onError(error, request);
      return line({ path, status, reason });
    }
  }

  async function read(ref: FileRef): Promise<Buffer> {
    const key = keys.file(ref);
    const content = await (storage.readSmall?.(key, MAX_BULK_FILE) ?? get(key));
    if (content === undefined) throw new GypsumError('not-found', `The object "${showText(key)}" does not exist.`);
    if (content !== 'large') return content;
    throw refuse(`The object "${showText(key)}" is too large to be read with others.`, 413);
  }

  async function get(key: string): Promise<Buffer | 'large' | undefined> {
    const isLarge = (size: number) => size > MAX_BULK_FILE;
    const object = await storage.get(key, ({ size }) => (isLarge(size) ? EMPTY : undefined));
    if (object === undefined || !isLarge(object.size)) return object && readWhole(object);
    object.body.destroy();
    return 'large';
  }

  async function* write(request: Request, ref: VersionRef, paths: readonly string[]): AsyncGenerator<Buffer> {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE).map((path) => answer(request, { ...ref, path }));
      yield Buffer.concat(await Promise.all(some));
    }
    yield line({ end: true });
  }

  return {
    async bulk(request, ref) {
      checkVersionNames(ref);
      const paths = checkBody(await readJson(request, LIMIT));
      const facts = factsOf(request);
      if (facts !== undefined) facts.files = paths.length;
      return new Response(webStream(Readable.from(write(request, ref, paths), { objectMode: false })), {
        headers: { 'content-type': BULK_TYPE, 'access-control-allow-origin': '*' },
      });
    },
  };
}

async function readWhole({ key, size, body }: StoredObject): Promise<Buffer> {
  const content = await buffer(body);
  // The storage gives an object as it is at one moment: one that has another length is not it.
  if (content.length !== size) throw new Error(`The object "${key}" ended after ${content.length} of ${size} bytes.`);
  return content;
}

function line(content: BulkLine): Buffer {
  return Buffer.from(`${JSON.stringify(content)}\n`);
}

function checkBody(body: unknown): readonly string[] {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    throw refuse(`The body must be {"paths": [...]} with at most ${MAX_BULK_FILES} paths of the version.`);
  }
  const { paths } = parsed.data;
  for (const path of paths) {
    const fault = pathFault(path);
    if (fault !== undefined) throw refuse(`The path "${showText(path)}" ${fault}.`);
  }
  if (new Set(paths).size < paths.length) throw refuse('A path is asked for more than once.');
  return paths;
}
