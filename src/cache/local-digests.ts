import { type Stats, statSync } from 'node:fs';
import { z } from 'zod';
import { createPace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, inodeId, sameFingerprint } from '../model/fingerprint.ts';
import { fingerprintSchema } from '../model/fingerprint-schema.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { fsPath } from '../model/local-path.ts';
import { ownedName } from '../owned-name.ts';
import { publishDocument } from './atomic.ts';
import { makeCacheFolder } from './folders.ts';
import { ifReachable } from './if-reachable.ts';
import type { Layout } from './layout.ts';
import { passClock } from './pass-clock.ts';
import { readIfThere } from './read-document.ts';

/** The memory of what people's own files held when they were digested. Losing a part of it costs to read them again. */
export interface LocalDigests {
  /** Gives the digest of the file that has these stats, unless it was touched since. */
  find(stats: Stats): Promise<string | undefined>;
  /** Notes the digest of a file that had these stats before it was read. */
  note(path: string, stats: Stats, hex: string): void;
  /** Writes down what was noted, leaving out what has been touched since. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** How many files are kept in each of the 256 shards, the newest: 25 MB in all. */
const MAX_FILES = 1024;

/** How many files are kept at most. */
export const MAX_DIGESTS = 256 * MAX_FILES;

/**
 * How much older than the cache's clock a file on another file system must be, whose clock may be another one.
 *
 * Units: milliseconds
 */
const MARGIN = 2_000;

const shardSchema = z.array(z.tuple([fingerprintSchema, z.string().regex(/^[0-9a-f]{32}$/)]));

/** By device and inode. */
type Shard = Map<string, readonly [Fingerprint, hex: string]>;

export function openLocalDigests(layout: Layout): LocalDigests {
  const shards = new Map<string, Promise<Shard>>();
  const noted: { path: string; print: Fingerprint; hex: string }[] = [];

  const shardOf = (print: Fingerprint): Promise<Shard> => {
    const name = shardName(print);
    const shard = shards.get(name) ?? readShard(layout, name);
    shards.set(name, shard);
    return shard;
  };

  return {
    async find(stats) {
      const print = fingerprintOf(stats);
      const [known, hex] = (await shardOf(print)).get(inodeId(stats)) ?? [];
      return known !== undefined && sameFingerprint(known, print) ? hex : undefined;
    },
    note: (path, stats, hex) => void noted.push({ path, print: fingerprintOf(stats), hex }),
    async flush(signal) {
      if (noted.length === 0) return;
      const pace = createPace(signal);
      const changed = new Map<string, Shard>();
      const isSettled = await createSettled(layout, noted, signal);
      for (const { path, print, hex } of noted.splice(0)) {
        if (pace.due()) await pace.rest();
        const now = await ifReachable(() => statSync(fsPath(path), { throwIfNoEntry: false }));
        if (now === undefined || !sameFingerprint(fingerprintOf(now), print) || !isSettled(print)) continue;
        const name = shardName(print);
        const shard = changed.get(name) ?? (await readShard(layout, name));
        changed.set(name, shard);
        // The newest stand last.
        shard.delete(inodeId(now));
        shard.set(inodeId(now), [print, hex]);
      }
      for (const [name, shard] of changed) {
        signal?.throwIfAborted();
        await publishDocument(layout, layout.digests(name), JSON.stringify([...shard.values()].slice(-MAX_FILES)));
        shards.delete(name);
      }
    },
  };
}

/**
 * Says whether a file's last change lies so far back that another one would show: a change within one tick of the clock
 * would go unseen.
 */
async function createSettled(
  layout: Layout,
  noted: readonly { print: Fingerprint }[],
  signal: AbortSignal | undefined,
): Promise<(print: Fingerprint) => boolean> {
  makeCacheFolder(layout, layout.incomings);
  const own = statSync(layout.incomings).dev;
  const last = noted.reduce((time, { print: [dev, , , , ctime] }) => (dev === own ? Math.max(time, ctime) : time), 0);
  const clock = await passClock(layout.incoming(ownedName()), last, signal);
  return ([dev, , , , ctime]) => ctime < clock - (dev === own ? 0 : MARGIN);
}

async function readShard(layout: Layout, name: string): Promise<Shard> {
  const text = await readIfThere(layout.digests(name));
  // A damaged memory is no memory.
  const parsed = text === undefined ? undefined : shardSchema.safeParse(parseJsonIfAny(text)).data;
  return new Map((parsed ?? []).map(([print, hex]) => [inodeId({ dev: print[0], ino: print[1] }), [print, hex]]));
}

function shardName([, ino]: Fingerprint): string {
  return (ino % 256).toString(16).padStart(2, '0');
}
