import { type Content, isMissing } from '../cache/contents.ts';
import { WORTH_KEEPING } from '../cache/download.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isGypsumError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { createPace } from '../give-way.ts';
import { BULK_FEATURE } from '../model/bulk-read.ts';
import { keys } from '../model/keys.ts';
import { formatFileRef, type VersionRef } from '../model/refs.ts';
import { sitePlaces } from './site-cache.ts';

/** Supplies a content from bytes that have come, or else as it can. */
export type SupplyOne = (content: Content, signal: AbortSignal | undefined, bytes?: Buffer) => Promise<void>;

interface Options {
  readonly concurrency: number;
  readonly overwrite: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: OnEvent | undefined;
}

/** What is asked for in one request: files of one version, by path. */
interface Batch {
  readonly ref: VersionRef;
  readonly contents: Map<string, Content>;
  bytes: number;
}

/** A batch is in memory as a whole before it is verified and written, and there are as many as `concurrency` says. */
const BATCH_FILES = 256;

/** Units: bytes */
const BATCH_BYTES = 1024 * 1024;

/**
 * Supplies what can be had many files at a time, where the registry says that it can do so and it saves round trips;
 * gives the contents that are left to be supplied one by one. Nothing fails here that might come right there: what does
 * not come, or is wrong, is left.
 */
export async function supplyInBulk(
  ctx: Context,
  contents: readonly Content[],
  options: Options,
  supplyOne: SupplyOne,
): Promise<readonly Content[]> {
  const { registry } = ctx;
  const { concurrency, signal, onEvent } = options;
  const small = await findSmall(ctx, contents, options);
  const [first] = small;
  // Fewer are there after one round trip as well.
  if (first === undefined || small.length <= concurrency) return contents;
  const left = new Set(contents);
  if (registry.offers(BULK_FEATURE) === undefined) {
    // The manifest was in the cache: the answer to the first file tells as well as its own would have done.
    await supplyOne(first, signal);
    left.delete(first);
  }
  if (!registry.offers(BULK_FEATURE)) return [...left];

  let isGivenUp = false;
  const tell = (what: string, error: Error) => onEvent?.({ type: 'retry', what, attempt: 1, error });
  await each(
    toBatches(small.filter((content) => left.has(content))),
    { concurrency, signal },
    async (batch, itemSignal) => {
      if (isGivenUp) return;
      const sizes = new Map([...batch.contents].map(([path, { size }]) => [path, size]));
      const { contents: came, error } = await registry.readMany(batch.ref, sizes, { signal: itemSignal });
      if (error !== undefined) tell(`Fetching ${sizes.size} files at once`, error);
      // Whoever gives nothing will not do better next time.
      if (error !== undefined && came.size === 0) isGivenUp = true;
      for (const [path, bytes] of came) {
        const content = batch.contents.get(path);
        if (content === undefined) continue;
        try {
          await supplyOne(content, itemSignal, bytes);
          left.delete(content);
        } catch (error) {
          if (!isGypsumError(error, 'wrong-content')) throw error;
          tell(`Fetching ${formatFileRef(content.source)}`, error);
        }
      }
    },
  );
  return [...left];
}

/** Gives the contents that have to be fetched, and of which no part is kept where an attempt breaks off. */
async function findSmall(
  ctx: Context,
  contents: readonly Content[],
  { concurrency, overwrite, signal }: Options,
): Promise<Content[]> {
  const isPossible = !ctx.registry.isOffline && ctx.registry.offers(BULK_FEATURE) !== false;
  if (!isPossible || contents.length <= concurrency) return [];
  const pace = createPace(signal);
  const small: Content[] = [];
  for (const content of contents) {
    if (pace.due()) await pace.rest();
    if (content.size >= WORTH_KEEPING) continue;
    if (!overwrite && !isMissing(ctx.cache.layout, content)) continue;
    if (!overwrite && (await sitePlaces(ctx, content)).length > 0) continue;
    small.push(content);
  }
  return small;
}

/** Groups contents by the version that their bytes are of. One that would be alone is left out: nothing is saved for it. */
function toBatches(contents: readonly Content[]): Batch[] {
  const batches: Batch[] = [];
  const open = new Map<string, Batch>();
  for (const content of contents) {
    const { path, ...ref } = content.source;
    const id = keys.version(ref);
    let batch = open.get(id);
    // A manifest that says two things of one file is wrong at least once.
    if (batch?.contents.has(path)) continue;
    if (batch === undefined || batch.contents.size === BATCH_FILES || batch.bytes + content.size > BATCH_BYTES) {
      batch = { ref, contents: new Map(), bytes: 0 };
      open.set(id, batch);
      batches.push(batch);
    }
    batch.contents.set(path, content);
    batch.bytes += content.size;
  }
  return batches.filter(({ contents }) => contents.size > 1);
}
