import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import { isSystemError } from './errors.ts';
import { showText } from './model/text.ts';

export const ownerSchema = z.object({
  host: z.string(),
  pid: z.number().int().positive(),
  /** When it began, where the system tells: ids are given again, in containers always the same ones. */
  birth: z.string().optional(),
});

/** The process that something belongs to, as it can be written down. */
export type ProcessOwner = Readonly<z.infer<typeof ownerSchema>>;

export const lockOwnerSchema = ownerSchema.extend({
  user: z.string().optional(),
  since: z.iso.datetime().optional(),
});

/** Who holds a lock, as far as they have said; `since` is by their own clock. */
export type LockOwner = Readonly<z.infer<typeof lockOwnerSchema>>;

/** Gives this process. */
export function thisProcess(): ProcessOwner {
  return processOf(process.pid);
}

/** Gives a process of this machine by its number. */
export function processOf(pid: number): ProcessOwner {
  const birth = look(pid)?.birth;
  return { host: hostname(), pid, ...(birth !== undefined && { birth }) };
}

/** Gives this process as one that takes a lock now. */
export function newLockOwner(): LockOwner {
  return { ...thisProcess(), user: userName(), since: new Date().toISOString() };
}

/** Gives who holds a lock, to stand behind "another process"; nothing if nobody knows. */
export function describeOwner(owner: LockOwner | undefined): string {
  if (owner === undefined) return '';
  const { pid, host, user, since } = owner;
  const whose = user === undefined ? '' : ` of ${showText(user)}`;
  return ` (${pid}${whose} on ${showText(host)}${since === undefined ? '' : `, since ${since}`})`;
}

/** Whether a process is still there; nothing for one of another machine, of which nobody can tell. */
export function isAlive({ host, pid, birth }: ProcessOwner): boolean | undefined {
  if (host !== hostname()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    // Another user's is there, too.
    if (!isSystemError(error, 'EPERM')) throw error;
  }
  const found = look(pid);
  return found === undefined || (!found.ended && (birth === undefined || birth === found.birth));
}

/**
 * What Linux tells of a process.
 *
 * Source: proc_pid_stat(5), fields 3 (state) and 22 (start time, in ticks since the system was started)
 */
function look(pid: number): { ended: boolean; birth: string } | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, which may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { ended: fields[0] === 'Z' || fields[0] === 'X', birth: fields[19] ?? '' };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // In containers, many users have a number alone.
    if (!isSystemError(error, 'ERR_SYSTEM_ERROR', 'ENOENT')) throw error;
    return String(process.getuid?.() ?? '');
  }
}
