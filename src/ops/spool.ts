import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { removeIfThere } from '../cache/atomic.ts';
import { makeCacheFolder } from '../cache/folders.ts';
import type { Context } from '../context.ts';
import { ownedName } from '../owned-name.ts';
import { leftUploads } from './recorded-uploads.ts';

/** Content that is no file, or none yet. */
export type LooseContent =
  | { readonly content: string | Uint8Array }
  | { readonly stream: Readable | ReadableStream<Uint8Array> };

/** Writes content to a file in the cache folder. */
export type Spool = (content: LooseContent) => Promise<{ readonly source: string; readonly size: number }>;

/** Lets `work` make files of content to be sent; they go afterwards, but for those that an upload that is left would resume with. */
export async function withSpool<T>(
  ctx: Context,
  project: string,
  signal: AbortSignal | undefined,
  work: (spool: Spool) => Promise<T>,
): Promise<T> {
  const spooled: string[] = [];
  try {
    return await work(async (content) => {
      await ctx.cache.open();
      const source = ctx.cache.layout.incoming(ownedName());
      makeCacheFolder(ctx.cache.layout, ctx.cache.layout.incomings);
      spooled.push(source);
      const target = createWriteStream(source, { flags: 'wx', mode: 0o600 });
      await pipeline(toReadable(content), target, signal === undefined ? {} : { signal });
      return { source, size: target.bytesWritten };
    });
  } finally {
    const needed = spooled.length === 0 ? undefined : await neededSources(ctx, project);
    for (const file of spooled) if (!needed?.has(file)) await removeIfThere(file);
  }
}

/** Gives the local files that a later resume will want to send. */
async function neededSources(ctx: Context, project: string): Promise<ReadonlySet<string | undefined>> {
  const left = await leftUploads(ctx, project);
  return new Set(left.flatMap(({ session }) => session?.files.map(({ source }) => source) ?? []));
}

function toReadable(one: LooseContent): Readable {
  if ('content' in one) return Readable.from([Buffer.from(one.content)]);
  return one.stream instanceof Readable ? one.stream : Readable.from(one.stream);
}
