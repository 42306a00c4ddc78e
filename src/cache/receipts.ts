import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { CLONE_MODES } from '../model/clone-mode.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { sameVersion, type VersionRef } from '../model/refs.ts';
import { publishDocument, removeIfThere } from './atomic.ts';
import type { Layout } from './layout.ts';
import { namesIn } from './names-in.ts';
import { readIfThere } from './read-document.ts';

const versionSchema = z.object({ project: z.string(), asset: z.string(), version: z.string() });

const receiptSchema = versionSchema.extend({
  /** The real path of the clone when it was made; bytes that are not UTF-8 as in every local path. */
  destination: z.string(),
  /** Find the clone again after it was moved on its file system. */
  device: z.number(),
  inode: z.number(),
  /** When its folder was made: an inode that is free is given to the next one. Units: milliseconds since 1970 */
  birth: z.number().optional(),
  mode: z.enum(CLONE_MODES),
  /** Which files were wanted there, where not all were. */
  include: z.array(z.string()).optional(),
  exclude: z.array(z.string()).optional(),
  /** The site cache that some of its links lead into. */
  siteCache: z.string().optional(),
  /** The versions that it was of, while it goes over to this one: some of it may still be theirs. */
  from: z.array(versionSchema).optional(),
  /** The version's own symlinks that could not be made there: who publishes the clone has them all the same. */
  notMade: z.array(z.string()).optional(),
  createdAt: z.iso.datetime(),
});

/** What was cloned where and how. It stands in the cache, so that the clone holds nothing but its dataset. */
export type Receipt = Readonly<z.infer<typeof receiptSchema>>;

/** Whether a clone needs the files of the cache. A copy needs none, and what it needs to be published are records. */
export function needsFiles({ mode }: Receipt): boolean {
  return mode === 'symlink' || mode === 'hardlink';
}

/** Gives the versions that a clone is of: of several while it goes over from one to another, the one that it is to be of first. */
export function versionsOf({ project, asset, version, from = [] }: Receipt): VersionRef[] {
  return [{ project, asset, version }, ...from];
}

/** Whether a clone is of a version, wholly or in part. */
export function isCloneOf(receipt: Receipt, ref: VersionRef): boolean {
  return versionsOf(receipt).some((version) => sameVersion(version, ref));
}

/** Writes the receipt of a clone; it replaces the one of an earlier clone at the same place. */
export async function writeReceipt(layout: Layout, receipt: Receipt): Promise<void> {
  await publishDocument(
    layout,
    layout.receipt(receiptId(receipt.destination)),
    `${JSON.stringify(receipt, null, 2)}\n`,
  );
}

/** Gives the receipt of the clone at a real path; nothing if there is none that can be read. */
export async function readReceipt(layout: Layout, destination: string): Promise<Receipt | undefined> {
  const text = await readIfThere(layout.receipt(receiptId(destination)));
  return text === undefined ? undefined : parseReceipt(text);
}

/** What tells folders apart. */
export interface FolderStats {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
}

/**
 * Whether a folder is the one that a clone was made in, on the same file system. Devices are not compared: they have
 * other numbers after a restart or a mount.
 */
export function isFolderOf({ inode, birth }: Receipt, { ino, birthtimeMs }: FolderStats): boolean {
  return inode === ino && (birth === undefined || birth === birthtimeMs);
}

/** Gives the receipt of the clone that a folder is, by its real path, and also if it was moved on its file system. */
export async function findReceipt(
  layout: Layout,
  destination: string,
  stats: FolderStats,
): Promise<Receipt | undefined> {
  const there = await readReceipt(layout, destination);
  if (there !== undefined && isFolderOf(there, stats)) return there;
  const { receipts } = await listReceipts(layout);
  return receipts.find((receipt) => receipt.device === stats.dev && isFolderOf(receipt, stats)) ?? there;
}

/** A file that should be a receipt and cannot be read as one, and which clone it is about as far as it says that. */
export interface UnreadableReceipt {
  readonly path: string;
  readonly about?: Pick<Receipt, 'project' | 'asset' | 'version' | 'destination'>;
}

/** Every receipt of the cache, and what should be one. */
export interface Receipts {
  readonly receipts: readonly Receipt[];
  readonly unreadable: readonly UnreadableReceipt[];
}

export async function listReceipts(layout: Layout): Promise<Receipts> {
  const receipts: Receipt[] = [];
  const unreadable: UnreadableReceipt[] = [];
  for (const name of await namesIn(layout.clones)) {
    const file = join(layout.clones, name);
    const text = await readIfThere(file);
    // A clone's receipt may be taken back at any moment.
    if (text === undefined) continue;
    const receipt = parseReceipt(text);
    if (receipt === undefined) unreadable.push({ path: file, ...aboutClone(text) });
    else receipts.push(receipt);
  }
  return { receipts, unreadable };
}

export async function removeReceipt(layout: Layout, destination: string): Promise<void> {
  const id = receiptId(destination);
  await removeIfThere(layout.receipt(id));
  await removeIfThere(layout.cloneFiles(id));
}

/** Names the clone at a real path in the cache. */
export function receiptId(destination: string): string {
  return createHash('sha256').update(destination, 'utf16le').digest('hex').slice(0, 32);
}

const aboutSchema = receiptSchema.pick({ project: true, asset: true, version: true, destination: true });

/** Reads what can be read of a receipt that is damaged, or of a later form. */
function aboutClone(text: string): Pick<UnreadableReceipt, 'about'> {
  const about = aboutSchema.safeParse(parseJsonIfAny(text)).data;
  return about === undefined ? {} : { about };
}

function parseReceipt(text: string): Receipt | undefined {
  return receiptSchema.safeParse(parseJsonIfAny(text)).data;
}
