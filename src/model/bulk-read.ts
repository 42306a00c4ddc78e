import { z } from 'zod';

/**
 * How many files of a version are read at once: `POST /bulk/{project}/{asset}/{version}` with `{"paths": [...]}`.
 *
 * Shape:  {"path":"a.txt","size":3}⏎abc                          a file: a line, and as many bytes as it says
 *         {"path":"b.txt","status":404,"reason":"…"}⏎            one that is not sent, and why: as if it were asked for alone
 *         {"end":true}⏎                                          all have been told of; without it, the answer broke off
 */
export const BULK_TYPE = 'application/vnd.gypsum.bulk';

/** What a registry that can do so says among its features. */
export const BULK_FEATURE = 'bulk';

/** How many files one request may ask for. */
export const MAX_BULK_FILES = 1000;

/** Larger files are not sent among others. Units: bytes */
export const MAX_BULK_FILE = 64 * 1024;

/** A line of the answer: what stands before a file's bytes, or in place of them, or at the end. */
export const bulkLine = z.union([
  z.object({ path: z.string(), size: z.int().nonnegative() }),
  z.object({ path: z.string(), status: z.int(), reason: z.string() }),
  z.object({ end: z.literal(true) }),
]);

export type BulkLine = Readonly<z.infer<typeof bulkLine>>;
