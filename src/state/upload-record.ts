import { z } from 'zod';
import { parseJsonIfAny } from '../model/json.ts';
import { nameFault } from '../model/names.ts';
import type { VersionRef } from '../model/refs.ts';
import { ownerSchema } from '../process-owner.ts';

const name = z.string().refine((text) => nameFault(text) === undefined);
const size = z.number().int().nonnegative();

const beginSchema = z.object({
  format: z.literal(1),
  registry: z.string(),
  project: name,
  asset: name,
  version: name,
  since: z.iso.datetime(),
});

const claimSchema = ownerSchema.extend({ claim: z.string() });

const fileSchema = z.object({
  path: z.string(),
  size,
  md5sum: z.string(),
  /** Where the registry tells how it is sent; it holds no secret without the session's token. */
  url: z.string(),
  /** Where it is on this machine, an absolute path; whoever started the upload need not have said it. */
  source: z.string().optional(),
  /** The text that it consists of, where it stands nowhere on this machine. */
  content: z.string().optional(),
});

const sessionSchema = z.object({
  token: z.string(),
  completeUrl: z.string(),
  abortUrl: z.string(),
  /** What has to be sent: as many files follow. */
  total: z.object({ files: size, bytes: size }),
  /** What became links of the files that were announced, or was announced as such. */
  linked: z.object({ files: size, bytes: size }),
});

const entrySchema = z.union([
  z.object({ sent: z.string() }),
  z.object({ file: fileSchema }),
  z.object({ session: sessionSchema }),
  claimSchema,
  z.object({ left: z.string() }),
]);

/** One line of what is written down of an upload, behind the first. */
export type UploadEntry = z.infer<typeof entrySchema>;

/** The first line: what was going to be uploaded where. */
export type UploadBegin = Readonly<z.infer<typeof beginSchema>>;

export type RecordedFile = Readonly<z.infer<typeof fileSchema>>;

/** What only the registry's answer to the start has told; whoever has it can send, complete and abort. */
export interface RecordedSession extends Readonly<z.infer<typeof sessionSchema>> {
  /** Fewer than there are to be sent where the process was killed while it wrote them down. */
  readonly files: readonly RecordedFile[];
}

/** Whether all files are known that have to be sent: else the upload can be aborted alone. */
export function isWhole({ files, total }: RecordedSession): boolean {
  return files.length === total.files;
}

/** A process that works, or has worked, at an upload. */
export type UploadClaim = Readonly<z.infer<typeof claimSchema>>;

/** What is written down of an upload. */
export interface UploadRecord extends VersionRef {
  readonly id: string;
  readonly registry: string;
  readonly since: Date;
  /** Those that have not said that they left it, the first one first. */
  readonly claims: readonly UploadClaim[];
  /** Missing where the registry's answer to the start never came. */
  readonly session?: RecordedSession;
  /** Paths of files that the registry has. */
  readonly sent: ReadonlySet<string>;
}

/**
 * Reads what is written down of an upload, a JSON document a line; gives nothing if its first line is none.
 *
 * Of the others, one that cannot be read counts as not there: a process that is killed, or a full disk, leaves half a
 * line. The session is written before its files, of which there may be many: from then on, the upload can be aborted.
 *
 * Shape:  {format, registry, project, asset, version, since}
 *         {claim, host, pid, birth?}                                a process takes it up; {left: claim} if it goes on without
 *         {session: {token, completeUrl, abortUrl, total, linked}}  the registry has answered
 *         {file: {path, size, md5sum, url, source?, content?}}      for each file that has to be sent
 *         {sent: path}                                              the registry has the file
 */
export async function parseUploadRecord(
  id: string,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<UploadRecord | undefined> {
  let begin: UploadBegin | undefined;
  const claims = new Map<string, UploadClaim>();
  const files: RecordedFile[] = [];
  let session: RecordedSession | undefined;
  const sent = new Set<string>();
  for await (const line of lines) {
    if (line === '') continue;
    const value = parseJsonIfAny(line);
    if (begin === undefined) {
      begin = beginSchema.safeParse(value).data;
      if (begin === undefined) return undefined;
      continue;
    }
    const entry = entrySchema.safeParse(value).data;
    if (entry === undefined) continue;
    if ('sent' in entry) sent.add(entry.sent);
    else if ('file' in entry) files.push(entry.file);
    else if ('session' in entry) session = { ...entry.session, files };
    else if ('claim' in entry) claims.set(entry.claim, entry);
    else claims.delete(entry.left);
  }
  if (begin === undefined) return undefined;
  const { registry, project, asset, version, since } = begin;
  return {
    id,
    registry,
    project,
    asset,
    version,
    since: new Date(since),
    claims: [...claims.values()],
    ...(session !== undefined && { session }),
    sent,
  };
}
