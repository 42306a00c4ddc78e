import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isAlive, thisProcess } from '../process-owner.ts';

let mine: string | undefined;

/**
 * Gives a new name for what is not yet, or not any more, what it shall be. It tells whose it is: others know by it when
 * nobody needs it.
 *
 * Shape:  <process>.<its birth>.<machine>.<random>
 */
export function incomingName(): string {
  if (mine === undefined) {
    const { pid, birth = '' } = thisProcess();
    mine = `${pid}.${birth}.${machine()}`;
  }
  return `${mine}.${randomUUID()}`;
}

/** Whether the process is there that a name in `incoming/` tells of; nothing if nobody can say. */
export function isOwnerAlive(name: string): boolean | undefined {
  const [, pid, birth, host] = /^([1-9]\d{0,9})\.(\d*)\.([\da-f]{8})\./.exec(name) ?? [];
  if (host !== machine()) return undefined;
  return isAlive({ host: hostname(), pid: Number(pid), ...(birth && { birth }) });
}

function machine(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}
