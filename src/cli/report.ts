import { isGypsumError } from '../errors.ts';
import type { GypsumEvent } from '../events.ts';
import { formatFileRef, formatRef } from '../model/refs.ts';
import { showList, showText } from '../model/text.ts';
import { goOnOrEnd } from '../ops/recorded-uploads.ts';
import { describeOwner } from '../process-owner.ts';
import { exitCodes, FAILURE } from './exit-codes.ts';
import { describeSystemError } from './system-errors.ts';
import { count } from './text.ts';

/** Gives the line that tells people of an event; nothing for those that only move a progress bar. */
export function eventLine(event: GypsumEvent): string | undefined {
  switch (event.type) {
    case 'retry':
      return `${event.error.message} Trying again${event.delay === undefined ? '' : ` in ${Math.ceil(event.delay / 1000)} s, as asked`} (attempt ${event.attempt + 1}).`;
    case 'wait':
      return event.for === 'version-lock'
        ? `Another process${describeOwner(event.owner)} is fetching ${formatRef(event.ref)}; waiting for it.`
        : `${event.error.message} Waiting for it to end.`;
    case 'damaged':
      // Of an edit that is safe, where it became a file is all that matters.
      if (event.isRescued) return undefined;
      return `The cached ${showList([event.file, ...(event.equal ?? [])].map(formatFileRef))} had been changed; it was moved to ${showText(event.movedTo)}. If that was an edit of yours, take it from there.`;
    case 'rescued':
      return `${showText(event.path)} had been edited through its link, in ${formatFileRef(event.file)} of the cache; it is a file of the folder now.`;
    case 'left-out': {
      const [first] = event.entries;
      const others = event.entries.length - 1;
      const more = others > 0 ? `, and ${count(others, 'other')} too` : '';
      return `Of ${formatRef(event.ref)}, "${showText(first?.path ?? '')}" is left out, which ${first?.why}${more}.`;
    }
    case 'upload-aborted':
      return `The upload of ${formatRef(event.ref)} was aborted; nothing of it stays, and the project is unlocked.`;
    case 'upload-kept':
      return `The upload of ${formatRef(event.ref)} is kept as far as it has come, and its project locked. ${goOnOrEnd(event.ref)}`;
    case 'upload-abandoned':
      return [
        `The upload of ${formatRef(event.ref)} could not be aborted (${event.error.message})`,
        `and the project ${showText(event.ref.project)} may stay locked.`,
        event.isRecorded
          ? goOnOrEnd(event.ref)
          : `Its owners unlock it: gypsum project unlock ${showText(event.ref.project)}`,
      ].join(' ');
    case 'start':
    case 'progress':
    case 'end':
    case 'upload-started':
    case 'upload-completed':
      return undefined;
  }
}

/** Gives what is said of an error: the message, and what can be done about it. */
export function errorLines(error: unknown): string {
  if (isGypsumError(error)) return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  const described = describeSystemError(error);
  if (described !== undefined) return `${showText(described.message)}\n${described.hint}`;
  return error instanceof Error ? showText(error.message) : String(error);
}

/** Gives the exit code that tells scripts of an error. */
export function exitCodeOf(error: unknown): number {
  return isGypsumError(error) ? exitCodes[error.code] : (describeSystemError(error)?.exitCode ?? FAILURE);
}
