import { parentPath } from '../model/tree.ts';
import type { Operation } from './replica-plan.ts';

/** Gives the folders whose times an operation changes, or that it makes or moves: they get their own mode and time in the end. */
export function touchedFolders(operation: Operation): string[] {
  const { op, path } = operation;
  if (op === 'chmod' || op === 'touch') return [];
  if (op === 'mkdir') return [parentPath(path), path];
  if (op !== 'move') return [parentPath(path)];
  return [parentPath(path), ...(operation.type === 'directory' ? [path] : []), parentPath(operation.from)];
}
