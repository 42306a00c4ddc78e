import { z } from 'zod';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';

/** What an S3 client needs to read the bucket behind a registry; it is public, whatever it calls its parts. */
export interface S3Config {
  readonly endpoint: string;
  readonly bucket: string;
  readonly key: string;
  readonly secret: string;
}

const wireConfig = z.object({ endpoint: z.string(), bucket: z.string(), key: z.string(), secret: z.string() });

/** Gives how the bucket behind the registry is read by S3. Throws `not-found` if the registry gives it to nobody. */
export async function publicS3Config(ctx: Context, options: CallOptions = {}): Promise<S3Config> {
  const what = `Asking ${ctx.registry.origin} for its bucket`;
  return ctx.registry.look({ what, path: '/credentials/s3-api', answer: wireConfig }, options);
}
