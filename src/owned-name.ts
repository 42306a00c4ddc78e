import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isSystemError } from './errors.ts';
import { isAlive, thisProcess } from './process-owner.ts';

let mine: string | undefined;
let here: string | undefined;

/**
 * Gives a new name for what is not yet, or not any more, what it shall be. It tells whose it is: others know by it when
 * nobody needs it.
 *
 * Shape:  <process>.<its birth>.<machine>.<random>
 */
export function ownedName(): string {
  if (mine === undefined) {
    const { pid, birth = '' } = thisProcess();
    mine = `${pid}.${birth}.${machine()}`;
  }
  return `${mine}.${randomUUID()}`;
}

/** Whether the process is there that such a name tells of; nothing if nobody can say. */
export function isOwnerAlive(name: string): boolean | undefined {
  const [, pid, birth, place] = /^([1-9]\d{0,9})\.(\d*)\.([\da-f]{8})\./.exec(name) ?? [];
  if (place !== machine()) return undefined;
  return isAlive({ host: hostname(), pid: Number(pid), ...(birth && { birth }) });
}

/** Names what knows processes by their numbers: containers of one name have numbers of their own. */
function machine(): string {
  here ??= createHash('sha256').update(`${hostname()} ${processSpace()}`).digest('hex').slice(0, 8);
  return here;
}

/** Source: pid_namespaces(7) */
function processSpace(): string {
  try {
    return process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : '';
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}
