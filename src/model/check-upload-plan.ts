import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { GypsumError, isGypsumError } from '../errors.ts';
import { fingerprintSchema } from './fingerprint-schema.ts';
import { MAX_FILE_BYTES } from './manifest.ts';
import { checkPath } from './names.ts';
import { checkFileRef, checkVersionRef, sameVersion, type VersionRef } from './refs.ts';
import { showText } from './text.ts';
import { parentPath } from './tree.ts';
import { parseTreeRecord, TREE_RECORD } from './tree-record.ts';
import type { MadeFile, UploadPlan } from './upload-plan.ts';

const version = z.object({ project: z.string(), asset: z.string(), version: z.string() });
const source = z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'is not an absolute path');
const file = z.object({
  path: z.string(),
  size: z.number().int().min(0).max(MAX_FILE_BYTES),
  md5sum: z.string().regex(/^[0-9a-f]{32}$/, 'is not 32 hexadecimal digits'),
});

const uploadPlan = version.extend({
  files: z.array(file.extend({ source })),
  links: z.array(
    file.extend({
      link: version.extend({ path: z.string() }),
      source: source.exactOptional(),
      seen: fingerprintSchema.exactOptional(),
    }),
  ),
  record: file.extend({ content: z.string() }).exactOptional(),
  ignored: z.number().exactOptional(),
  unchangedSince: version.exactOptional(),
});

/** Returns a plan, also one that was kept as JSON, or throws `invalid-argument` saying what of it cannot be right. */
export function checkUploadPlan(value: unknown): UploadPlan {
  const parsed = uploadPlan.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'it' : `"${issue.path.join('.')}"`;
    throw noPlan(`${where}: ${issue?.message}`, parsed.error);
  }
  const plan = parsed.data;
  try {
    checkVersionRef(plan);
    for (const { path } of plan.files) checkPath(path);
    for (const { path, link } of plan.links) checkFileRef({ ...link, path: checkPath(path) && link.path });
  } catch (error) {
    if (isGypsumError(error)) throw noPlan(error.message, error);
    throw error;
  }
  const { record } = plan;
  if (record !== undefined) checkRecord(record, plan);
  checkBeside([...plan.files, ...plan.links, ...(record === undefined ? [] : [record])].map(({ path }) => path));
  checkEqual(plan);
  return plan;
}

function checkRecord({ path, size, content }: MadeFile, ref: VersionRef): void {
  if (path !== TREE_RECORD || Buffer.byteLength(content) !== size) throw noPlan('its "record" is no tree record');
  parseTreeRecord(content, ref);
}

/** Throws unless all paths can stand beside each other in a version. */
function checkBeside(paths: readonly string[]): void {
  const files = new Set(paths);
  if (files.size < paths.length) throw noPlan('a path stands in it twice');
  for (const path of files) {
    for (let folder = parentPath(path); folder !== ''; folder = parentPath(folder)) {
      if (files.has(folder)) throw noPlan(`"${showText(path)}" lies below "${showText(folder)}", which is a file`);
    }
  }
}

/** Throws unless each link within the version leads to a file that is sent, and could be sent itself. */
function checkEqual(plan: UploadPlan): void {
  const files = new Map(plan.files.map((file) => [file.path, file]));
  for (const { path, link, size, md5sum, source } of plan.links) {
    if (!sameVersion(link, plan)) continue;
    const sent = files.get(link.path);
    if (source !== undefined && sent?.size === size && sent.md5sum === md5sum) continue;
    throw noPlan(`"${showText(path)}" is to be the same as "${showText(link.path)}", and is not`);
  }
}

function noPlan(why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `This is not the plan of an upload: ${why}.`, {
    hint: 'Have it made by "gypsum upload --dry-run --json" (in programs: planUpload), and leave it as it is.',
    cause,
  });
}
