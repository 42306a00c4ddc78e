import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { type BulkLine, bulkLine } from '../model/bulk-read.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { Body } from './answers.ts';
import type { Read } from './read.ts';
import { route } from './route.ts';

/** Files that are asked for at once: their sizes by their paths. Units: bytes */
export type Sizes = ReadonlyMap<string, number>;

/** Units: bytes. A path has 1,024 of them, each of which JSON may write with six. */
const MAX_LINE = 16 * 1024;

/** Some of the files that were asked for at once. */
export interface Many {
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly error?: GypsumError;
}

/** Asks for files of a version in one request, once; gives what came, also where the rest did not. */
export async function readMany(
  read: Read,
  ref: VersionRef,
  sizes: Sizes,
  options: CallOptions | undefined,
): Promise<Many> {
  const asked = {
    what: `Fetching ${sizes.size} files of ${formatRef(ref)} at once`,
    method: 'POST',
    path: route('bulk', ref.project, ref.asset, ref.version),
    headers: { 'content-type': 'application/json' },
    body: () => JSON.stringify({ paths: [...sizes.keys()] }),
    shouldRetry: () => false,
  } as const;
  const contents = new Map<string, Buffer>();
  try {
    await read(asked, options, (body) => receiveMany(body, sizes, asked.what, contents));
    return { contents };
  } catch (error) {
    options?.signal?.throwIfAborted();
    if (!isGypsumError(error)) throw error;
    return { contents, error };
  }
}

/**
 * Takes an answer to a request for many files apart, and puts each that comes among `contents`. Throws `invalid-response`
 * for what nobody asked for, or more of it than there can be; `unavailable` where the answer broke off.
 */
async function receiveMany(body: Body, sizes: Sizes, what: string, contents: Map<string, Buffer>): Promise<void> {
  const source = createSource(body, what);
  const told = new Set<string>();
  for (;;) {
    const line = parseLine(await source.line(), what);
    if ('end' in line) return;
    const { path } = line;
    const size = sizes.get(path);
    if (size === undefined) throw unusable(what, `it has "${showText(path)}", which was not asked for`);
    if (told.has(path)) throw unusable(what, `it has "${showText(path)}" twice`);
    told.add(path);
    if (!('size' in line)) continue;
    // One that is shorter is seen to be wrong by its digest.
    if (line.size > size) throw unusable(what, `it has ${line.size} bytes of "${showText(path)}", not ${size}`);
    contents.set(path, await source.take(line.size));
  }
}

function parseLine(text: string, what: string): BulkLine {
  const parsed = bulkLine.safeParse(parseJsonIfAny(text));
  if (parsed.success) return parsed.data;
  throw unusable(what, `"${showText(text.slice(0, 60))}" is no line of it`);
}

/** Gives lines and bytes of a body in turn; no more than a line, a file and a chunk are in memory. */
function createSource(body: Body, what: string) {
  const chunks = body[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  const next = async (): Promise<Buffer> => {
    const { done, value } = await chunks.next();
    if (!done) return value;
    throw new GypsumError('unavailable', `${what} failed: the answer broke off.`);
  };
  const cut = (end: number, skipped = 0): Buffer => {
    const piece = rest.subarray(0, end);
    rest = rest.subarray(end + skipped);
    return piece;
  };

  return {
    async line(): Promise<string> {
      let end = rest.indexOf('\n');
      while (end === -1) {
        if (rest.length > MAX_LINE) throw unusable(what, `a line of it is longer than ${MAX_LINE} bytes`);
        rest = Buffer.concat([rest, await next()]);
        end = rest.indexOf('\n');
      }
      return cut(end, 1).toString('utf8');
    },
    async take(size: number): Promise<Buffer> {
      const parts = [rest];
      for (let length = rest.length; length < size; ) {
        const chunk = await next();
        parts.push(chunk);
        length += chunk.length;
      }
      if (parts.length > 1) rest = Buffer.concat(parts);
      return cut(size);
    },
  };
}

function unusable(what: string, why: string): GypsumError {
  return new GypsumError('invalid-response', `${what} failed: the answer is not as it must be: ${why}.`, {
    hint: 'Tell the people who run the registry.',
  });
}
