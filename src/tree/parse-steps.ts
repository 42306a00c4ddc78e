import { isAbsolute, sep } from 'node:path';
import { z } from 'zod';
import { fingerprintSchema } from '../model/fingerprint-schema.ts';
import { MAX_FILE_BYTES } from '../model/manifest.ts';
import type { Step } from './step.ts';

const SEPARATORS = sep === '\\' ? /[/\\]/ : /\//;

/** A path below a folder, whatever its file system takes as a name; none of its parts leads out of it. */
export const localPath = z
  .string()
  .refine((path) => !path.includes('\0') && path.split(SEPARATORS).every(isName), 'is no path below the folder');

const absolutePath = z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'is not an absolute path');

const symlink = z.object({
  type: z.literal('symlink'),
  target: z.string().refine((text) => text !== '' && !text.includes('\0'), 'is no text of a symlink'),
});
const directory = z.object({ type: z.literal('directory') });

function isName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..';
}

/** A step of a plan that was kept as JSON. */
export const stepSchema: z.ZodType<Step> = z
  .strictObject({
    path: localPath,
    before: z
      .discriminatedUnion('type', [
        directory,
        symlink,
        z.object({ type: z.literal('file'), seen: fingerprintSchema, shared: z.boolean().exactOptional() }),
      ])
      .exactOptional(),
    after: z
      .discriminatedUnion('type', [
        directory,
        symlink.extend({
          seen: fingerprintSchema.exactOptional(),
          targetType: z.enum(['dir', 'file', 'unknown']).exactOptional(),
        }),
        z.object({
          type: z.literal('file'),
          mode: z.enum(['hardlink', 'reflink', 'copy']),
          source: absolutePath,
          size: z.number().int().min(0).max(MAX_FILE_BYTES),
          digest: z.object({ algorithm: z.literal('md5'), hex: z.string().regex(/^[0-9a-f]{32}$/) }),
          permissions: z.number().int().min(0).max(0o777).exactOptional(),
          exact: z.boolean().exactOptional(),
        }),
      ])
      .exactOptional(),
    keep: z.boolean().exactOptional(),
  })
  .refine(({ before, after }) => before !== undefined || after !== undefined, 'does nothing')
  .refine(
    ({ before, after }) =>
      before === undefined || after === undefined || (before.type !== 'directory' && after.type !== 'directory'),
    'makes something else of a folder',
  );
