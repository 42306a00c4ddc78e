import { sep } from 'node:path';
import type { Receipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { FileMode } from '../model/clone-mode.ts';
import { readClones } from './registered-clones.ts';

/** A clone of real files in place of symlinks. */
export interface FileClone {
  /** Where it is: a real path. */
  readonly root: string;
  readonly receipt: Receipt & { readonly mode: FileMode };
}

/** Knows the clones of real files. */
export interface FileClones {
  /** Gives the one that something stands in, by its real path. */
  around(path: string): FileClone | undefined;
}

/** Finds the registered clones of real files, wherever they are now. */
export async function openFileClones(ctx: Context, options: CallOptions): Promise<FileClones> {
  const found: FileClone[] = [];
  for (const { receipt, place } of (await readClones(ctx, options)).clones) {
    const { mode } = receipt;
    if (place !== undefined && mode !== 'symlink') found.push({ root: place, receipt: { ...receipt, mode } });
  }
  // Of one clone in another, the inner one comes first.
  found.sort((a, b) => b.root.length - a.root.length);
  return { around: (path) => found.find(({ root }) => path.startsWith(root + sep)) };
}
