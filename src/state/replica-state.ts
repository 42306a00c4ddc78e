import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, renameSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../make-folder.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { REPLICAS } from './replica-claims.ts';
import { TextMap } from './text-map.ts';

const headSchema = z.strictObject({ format: z.literal(1), source: z.string(), destination: z.string() });

const lineSchema = z.union([
  z.tuple([
    z.literal('content'),
    z.string().regex(/^\d+ \d+ \d+ -?\d+ -?\d+$/),
    z.string().regex(/^(?:[\da-f]{32}|[\da-f]{64})$/),
  ]),
  z.tuple([z.literal('entry'), z.string(), z.string()]),
  z.tuple([z.literal('gone'), z.string()]),
  z.tuple([z.literal('kept')]),
]);

type Head = z.infer<typeof headSchema>;
type Line = z.infer<typeof lineSchema>;

/**
 * What is remembered of a folder and its replica, so that nothing has to be read again. None of it is believed without a look:
 * a stamp is of a file as it was, and whoever has none that is known is read.
 */
export interface ReplicaState {
  /** Digests of files of both, by their stamps. */
  readonly contents: Texts;
  /** What the source had at each path when the replica was last equal to it; nothing if it never was. */
  readonly entries: Texts | undefined;
  /** Where that went which was found and could not be used. */
  readonly setAside?: string;
  learn(stamp: string, digest: string): void;
  /** Takes down what the source has, by paths; it is gone through more than once. Nothing is written if nothing is new. */
  keep(entries: Iterable<readonly [path: string, sign: string]>): void;
  /** Forgets the digests of files with other stamps than these. */
  retain(stamps: Iterable<string>): void;
  close(): void;
}

/** Texts by texts. */
export interface Texts extends Iterable<[key: string, value: string]> {
  readonly size: number;
  get(key: string): string | undefined;
  has(key: string): boolean;
}

/** Lines that are of no use are let lie up to a number that is worth the writing anew. */
const SPARE = 1000;

/**
 * Opens what is remembered of a folder and its replica, both given by their real paths; without a folder to keep it in, for this
 * process alone. What is damaged, or of another source, is set aside.
 *
 * It is written to at its end, and what a kill cuts off there was not said. Now and then it is written anew, and takes its place by rename.
 *
 * Shape:  <folder>/replicas/<of the destination>.jsonl   {"format":1,"source","destination"}, then ["content",stamp,digest],
 *         ["entry",path,sign], ["gone",path], ["kept"]
 */
export function openReplicaState(folder: string | undefined, source: string, destination: string): ReplicaState {
  const head: Head = { format: 1, source, destination };
  if (folder === undefined) return new State(head);
  const states = join(folder, REPLICAS);
  makeFolder(states, 0o700);
  const path = join(states, `${createHash('sha256').update(destination).digest('hex').slice(0, 32)}.jsonl`);
  if (!existsSync(path)) return new State(head, path);
  const state = State.read(head, path);
  if (state !== undefined) return state;
  const aside = `${path}.aside`;
  renameSync(path, aside);
  return new State(head, path, aside);
}

/** Units: bytes. Read and written at once: of a million files there are some hundred millions. */
const PIECE = 64 * 1024;

/** Units: bytes. Lines of ours hold a path. */
const LONGEST = 1024 * 1024;

/** Gives the lines of a file that have an end; what is too long to be one of ours ends it. */
function* linesOf(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    let rest = Buffer.alloc(0);
    for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece)) {
      const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
      let at = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, at)) {
        yield bytes.subarray(at, end);
        at = end + 1;
      }
      rest = bytes.subarray(at);
      if (rest.length < LONGEST) continue;
      yield rest;
      return;
    }
  } finally {
    closeSync(fd);
  }
}

const NEWLINE = 0x0a;

function isHead(value: unknown, { source, destination }: Head): boolean {
  const found = headSchema.safeParse(value).data;
  return found?.source === source && found.destination === destination;
}

class State implements ReplicaState {
  readonly setAside?: string;
  readonly #head: Head;
  readonly #path: string | undefined;
  #contents = new TextMap();
  #entries: TextMap | undefined;
  #fd: number | undefined;
  /** How many lines the file has. One that is not there yet is written as a whole. */
  #lines = Number.POSITIVE_INFINITY;

  constructor(head: Head, path?: string, setAside?: string) {
    this.#head = head;
    this.#path = path;
    if (setAside !== undefined) this.setAside = setAside;
  }

  /** Gives nothing if it is not what this version writes of these folders. */
  static read(head: Head, path: string): State | undefined {
    const state = new State(head, path);
    let [at, lines] = [0, 0];
    for (const bytes of linesOf(path)) {
      const value = parseJsonIfAny(bytes.toString());
      if (at === 0) {
        if (!isHead(value, head)) return undefined;
      } else {
        const line = lineSchema.safeParse(value).data;
        if (line === undefined) return undefined;
        state.#take(line);
        lines++;
      }
      at += bytes.length + 1;
    }
    if (at === 0) return undefined;
    // A kill came before it had its end.
    if (at < statSync(path).size) truncateSync(path, at);
    if (lines > 0) state.#lines = lines;
    return state;
  }

  get contents(): Texts {
    return this.#contents;
  }

  get entries(): Texts | undefined {
    return this.#entries;
  }

  learn(stamp: string, digest: string): void {
    if (this.#contents.get(stamp) === digest) return;
    this.#add([['content', stamp, digest]]);
  }

  keep(entries: Iterable<readonly [string, string]>): void {
    this.#add(this.#changes(entries));
  }

  *#changes(entries: Iterable<readonly [string, string]>): Generator<Line> {
    if (this.#entries === undefined) yield ['kept'];
    let count = 0;
    for (const [path, sign] of entries) {
      count++;
      if (this.#entries?.get(path) !== sign) yield ['entry', path, sign];
    }
    if (this.#entries?.size === count) return;
    const there = new Set<string>();
    for (const [path] of entries) there.add(path);
    for (const path of this.#entries?.keys() ?? []) if (!there.has(path)) yield ['gone', path];
  }

  retain(stamps: Iterable<string>): void {
    const kept = new TextMap();
    for (const stamp of stamps) {
      const digest = this.#contents.get(stamp);
      if (digest !== undefined) kept.set(stamp, digest);
    }
    this.#contents = kept;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #add(lines: Iterable<Line>): void {
    const path = this.#path;
    const had = this.#lines;
    // Half a line in the middle would be damage: what fails is begun anew.
    this.#lines = Number.POSITIVE_INFINITY;
    const taken = this.#taken(lines);
    let added = 0;
    if (path === undefined || had === Number.POSITIVE_INFINITY) for (const _ of taken) added++;
    else added = writeLines(() => (this.#fd ??= openSync(path, 'a', 0o600)), taken);
    this.#lines = had + added;
    const needed = this.#contents.size + (this.#entries?.size ?? 0);
    if (path !== undefined && added > 0 && this.#lines > 2 * needed + SPARE) this.#writeAnew(path);
  }

  /** Takes each line before the next one is asked for. */
  *#taken(lines: Iterable<Line>): Generator<Line> {
    for (const line of lines) {
      this.#take(line);
      yield line;
    }
  }

  #take(line: Line): void {
    if (line[0] === 'content') this.#contents.set(line[1], line[2]);
    else {
      this.#entries ??= new TextMap();
      if (line[0] === 'entry') this.#entries.set(line[1], line[2]);
      if (line[0] === 'gone') this.#entries.delete(line[1]);
    }
  }

  #writeAnew(path: string): void {
    this.close();
    const fd = openSync(`${path}.new`, 'w', 0o600);
    try {
      this.#lines = writeLines(() => fd, this.#all()) - 1;
    } finally {
      closeSync(fd);
    }
    renameSync(`${path}.new`, path);
  }

  *#all(): Generator<Head | Line> {
    yield this.#head;
    for (const [stamp, digest] of this.#contents) yield ['content', stamp, digest];
    if (this.#entries === undefined) return;
    yield ['kept'];
    for (const [path, sign] of this.#entries) yield ['entry', path, sign];
  }
}

/** Opens a file when there is something to write; gives how many lines were written. */
function writeLines(open: () => number, lines: Iterable<Head | Line>): number {
  let count = 0;
  let text = '';
  const write = () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(open(), bytes, at);
    text = '';
  };
  for (const line of lines) {
    count++;
    text += `${JSON.stringify(line)}\n`;
    if (text.length >= PIECE) write();
  }
  write();
  return count;
}
