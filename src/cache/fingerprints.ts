import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, sameButCtime, sameFingerprint } from '../model/fingerprint.ts';
import { ownedName } from '../owned-name.ts';
import { publishDocument } from './atomic.ts';
import { makeCacheFolder } from './folders.ts';
import { ifReachable } from './if-reachable.ts';
import type { Layout } from './layout.ts';
import { passClock } from './pass-clock.ts';
import { createPrintTable, type Known, type PrintTable, readPrintTable } from './print-table.ts';

/** The memory of what was verified in one project: losing a part of it costs one re-hash, and nothing else. */
export interface Fingerprints {
  /** Says what is known about a file that should hold the content of a digest. Reads no content. */
  check(hex: string, stats: Stats): Known;
  /** Says it of a file that looks so, which is a regular one. */
  checkPrint(hex: string, print: Fingerprint): Known;
  /** Notes that the file at `path` held the right content when it had these stats. */
  remember(hex: string, path: string, stats: Stats): void;
  /** Writes down what was noted, leaving out what has been changed since. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** How many inodes are kept for one digest: copies, and successors of an inode that ran out of links. */
const MAX_INODES = 8;

/** Opens the memory of some digests; what another cache remembers, which is below this one, is read too. */
export async function openFingerprints(
  layout: Layout,
  project: string,
  digests: Iterable<string>,
  below?: Layout,
): Promise<Fingerprints> {
  const shards = new Map<string, PrintTable>();
  const others = new Map<string, PrintTable>();
  const noted = new Map<string, { hex: string; path: string; print: Fingerprint }>();
  for (const hex of digests) {
    const name = hex.slice(0, 2);
    if (shards.has(name)) continue;
    shards.set(name, readShard(layout.verified(project, name)));
    const file = below?.verified(project, name);
    const other = file === undefined ? undefined : await ifReachable(() => readShard(file));
    if (other !== undefined) others.set(name, other);
  }

  const memories = below === undefined ? [shards] : [shards, others];

  // An inode with many names is read once, not once a name.
  const isNoted = (hex: string, print: Fingerprint): boolean => {
    const before = noted.get(`${hex} ${print[0]} ${print[1]}`)?.print;
    return before !== undefined && sameFingerprint(print, before);
  };

  const checkPrint = (hex: string, print: Fingerprint): Known => {
    let found: Known = 'unknown';
    for (const memory of memories) {
      const known = memory.get(hex.slice(0, 2))?.check(hex, print);
      if (known === 'same') return 'same';
      if (known === 'unsure') found = known;
    }
    return isNoted(hex, print) ? 'same' : found;
  };

  return {
    check: (hex, stats) => (stats.isFile() ? checkPrint(hex, fingerprintOf(stats)) : 'unknown'),
    checkPrint,

    remember(hex, path, stats) {
      noted.set(`${hex} ${stats.dev} ${stats.ino}`, { hex, path, print: fingerprintOf(stats) });
    },

    async flush(signal) {
      if (noted.size === 0) return;
      const changed = new Map<string, Map<string, Fingerprint>>();
      const settled = new Map<string, { hex: string; print: Fingerprint }>();
      const pace = createPace(signal);
      let last = 0;
      for (const [id, { hex, path, print }] of noted) {
        const stats = lstatSync(path, { throwIfNoEntry: false });
        if (stats === undefined) continue;
        const now = fingerprintOf(stats);
        last = Math.max(last, now[4]);
        if (sameButCtime(now, print)) settled.set(id, { hex, print: now });
        if (pace.due()) await pace.rest();
      }
      // A change within one tick of the clock would go unseen: the fingerprint counts once the clock has passed it.
      const probe = layout.incoming(ownedName());
      makeCacheFolder(layout, layout.incomings);
      const clock = await passClock(probe, last, signal);
      for (const [id, { print }] of settled) if (print[4] >= clock) settled.delete(id);
      for (const { hex, print } of settled.values()) {
        const name = hex.slice(0, 2);
        const shard = changed.get(name) ?? new Map<string, Fingerprint>();
        changed.set(name, shard);
        shard.set(`${hex} ${print[0]} ${print[1]}`, print);
      }
      noted.clear();
      for (const [name, prints] of changed) {
        signal?.throwIfAborted();
        const file = layout.verified(project, name);
        const known = new Map(readShard(file).prints());
        for (const [id, print] of prints) add(known, id.slice(0, id.indexOf(' ')), print);
        const shard = createPrintTable(known);
        shards.set(name, shard);
        await publishDocument(layout, file, shard.bytes);
      }
    },
  };
}

function add(prints: Map<string, readonly Fingerprint[]>, hex: string, print: Fingerprint): void {
  const others = (prints.get(hex) ?? []).filter((known) => known[0] !== print[0] || known[1] !== print[1]);
  prints.set(hex, [...others, print].slice(-MAX_INODES));
}

/** Of 256 small files, which promises take 90 ms longer to read. A damaged memory is no memory: all it costs is to verify again. */
function readShard(file: string): PrintTable {
  try {
    return readPrintTable(readFileSync(file)) ?? NOTHING;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return NOTHING;
    throw error;
  }
}

const NOTHING = createPrintTable(new Map());
