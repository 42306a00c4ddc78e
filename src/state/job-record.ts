import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isGypsumError } from '../errors.ts';
import { JOB_SETTINGS, type JobSettings } from '../model/job-settings.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { checkSchedule, type Schedule } from '../model/schedule.ts';
import { ownerSchema } from '../process-owner.ts';

/** A job's name is a part of names of files. */
export const JOB_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** What goes into a program's arguments and nowhere else. */
const word = z.string().refine((text) => !text.includes('\0') && text.isWellFormed());

const schedule = z
  .union([
    z.strictObject({ every: z.number() }),
    z.strictObject({ cron: z.string(), timeZone: z.string().exactOptional() }),
  ])
  .refine(isSchedule);

const jobSchema = z.object({
  format: z.literal(1),
  id: z.uuid(),
  schedule,
  command: z.array(word).min(1),
  directory: word.refine(isAbsolute),
  settings: z.partialRecord(z.enum(JOB_SETTINGS), word),
  added: z.iso.datetime(),
});

const runSchema = z.object({
  format: z.literal(1),
  /** Of the job: one that was added later with the same name has another. */
  id: z.uuid(),
  start: z.iso.datetime(),
  /** The process that does it; missing where none could be started. */
  process: ownerSchema.exactOptional(),
  /** Missing while it goes on, and where nobody was there when it ended. */
  end: z.iso.datetime().exactOptional(),
  outcome: z.enum(['done', 'failed', 'interrupted']),
  /** Missing where a signal ended it. */
  exitCode: z.number().int().exactOptional(),
  message: z.string().exactOptional(),
  /** How many runs have failed since one did not. */
  failures: z.number().int().nonnegative(),
});

/** A job, as it was added. */
export interface JobRecord {
  readonly name: string;
  readonly id: string;
  readonly schedule: Schedule;
  readonly command: readonly string[];
  readonly directory: string;
  readonly settings: JobSettings;
  readonly added: Date;
}

/** The last run of a job; while it goes on, what is to be thought of it should nobody see it end. */
export type RunRecord = Readonly<Omit<z.infer<typeof runSchema>, 'format' | 'start' | 'end'>> & {
  readonly start: Date;
  readonly end?: Date;
};

/** Reads what is written down of a job; nothing if it is not what this version writes. */
export function parseJob(name: string, text: string): JobRecord | undefined {
  const parsed = jobSchema.safeParse(parseJsonIfAny(text)).data;
  if (parsed === undefined) return undefined;
  const { format: _format, added, ...job } = parsed;
  return { name, ...job, added: new Date(added) };
}

export function formatJob({ name: _name, ...job }: JobRecord): string {
  return `${JSON.stringify({ format: 1, ...job }, null, 2)}\n`;
}

/** Reads what is written down of a job's last run; nothing if it is not what this version writes. */
export function parseRun(text: string): RunRecord | undefined {
  const parsed = runSchema.safeParse(parseJsonIfAny(text)).data;
  if (parsed === undefined) return undefined;
  const { format: _format, start, end, ...run } = parsed;
  return { ...run, start: new Date(start), ...(end !== undefined && { end: new Date(end) }) };
}

export function formatRun(run: RunRecord): string {
  return `${JSON.stringify({ format: 1, ...run }, null, 2)}\n`;
}

function isSchedule(schedule: Schedule): boolean {
  try {
    checkSchedule(schedule, 0);
    return true;
  } catch (error) {
    if (isGypsumError(error, 'invalid-argument')) return false;
    throw error;
  }
}
