import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../make-folder.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { REPLICAS } from './replica-claims.ts';

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
  readonly contents: ReadonlyMap<string, string>;
  /** What the source had at each path when the replica was last equal to it; nothing if it never was. */
  readonly entries: ReadonlyMap<string, string> | undefined;
  /** Where that went which was found and could not be used. */
  readonly setAside?: string;
  learn(stamp: string, digest: string): void;
  /** Takes down what the source has, and forgets the stamps that are of no use any more. Nothing is written if nothing is new. */
  keep(entries: ReadonlyMap<string, string>, stamps: ReadonlySet<string>): void;
  close(): void;
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
  const lines = readLines(path, head);
  if (lines !== undefined) return new State(head, path, lines);
  const aside = `${path}.aside`;
  renameSync(path, aside);
  return new State(head, path, [], aside);
}

/** Gives nothing if they are not what this version writes of these folders. */
function readLines(path: string, head: Head): Line[] | undefined {
  const bytes = readFileSync(path);
  const lines: Line[] = [];
  let at = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, at)) {
    const value = parseJsonIfAny(bytes.toString('utf8', at, end));
    if (at === 0) {
      if (!isHead(value, head)) return undefined;
    } else {
      const line = lineSchema.safeParse(value).data;
      if (line === undefined) return undefined;
      lines.push(line);
    }
    at = end + 1;
  }
  if (at === 0) return undefined;
  // A kill came before it had its end.
  if (at < bytes.length) truncateSync(path, at);
  return lines;
}

const NEWLINE = 0x0a;

function isHead(value: unknown, { source, destination }: Head): boolean {
  const found = headSchema.safeParse(value).data;
  return found?.source === source && found.destination === destination;
}

class State implements ReplicaState {
  readonly contents = new Map<string, string>();
  readonly setAside?: string;
  readonly #head: Head;
  readonly #path: string | undefined;
  #entries: Map<string, string> | undefined;
  #fd: number | undefined;
  /** How many lines the file has. */
  #lines: number;

  constructor(head: Head, path?: string, lines: readonly Line[] = [], setAside?: string) {
    this.#head = head;
    this.#path = path;
    if (setAside !== undefined) this.setAside = setAside;
    for (const line of lines) this.#take(line);
    // A file that is not there yet is written as a whole.
    this.#lines = lines.length === 0 ? Number.POSITIVE_INFINITY : lines.length;
  }

  get entries(): ReadonlyMap<string, string> | undefined {
    return this.#entries;
  }

  learn(stamp: string, digest: string): void {
    if (this.contents.get(stamp) === digest) return;
    this.#add([['content', stamp, digest]]);
  }

  keep(entries: ReadonlyMap<string, string>, stamps: ReadonlySet<string>): void {
    const before = this.#entries;
    const lines: Line[] = before === undefined ? [['kept']] : [];
    for (const path of before?.keys() ?? []) if (!entries.has(path)) lines.push(['gone', path]);
    for (const [path, sign] of entries) if (before?.get(path) !== sign) lines.push(['entry', path, sign]);
    for (const stamp of this.contents.keys()) if (!stamps.has(stamp)) this.contents.delete(stamp);
    if (lines.length > 0) this.#add(lines);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #add(lines: readonly Line[]): void {
    for (const line of lines) this.#take(line);
    if (this.#path === undefined) return;
    const needed = this.contents.size + (this.#entries?.size ?? 0);
    if (this.#lines + lines.length > 2 * needed + SPARE) {
      this.#writeAnew(this.#path);
      return;
    }
    const had = this.#lines;
    // Half a line in the middle would be damage: what fails is begun anew.
    this.#lines = Number.POSITIVE_INFINITY;
    this.#fd ??= openSync(this.#path, 'a', 0o600);
    const bytes = Buffer.from(textOf(lines));
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#lines = had + lines.length;
  }

  #take(line: Line): void {
    if (line[0] === 'content') this.contents.set(line[1], line[2]);
    else {
      this.#entries ??= new Map();
      if (line[0] === 'entry') this.#entries.set(line[1], line[2]);
      if (line[0] === 'gone') this.#entries.delete(line[1]);
    }
  }

  #writeAnew(path: string): void {
    this.close();
    const lines: Line[] = [...this.contents].map(([stamp, digest]) => ['content', stamp, digest]);
    if (this.#entries !== undefined) lines.push(['kept']);
    for (const [at, sign] of this.#entries ?? []) lines.push(['entry', at, sign]);
    writeFileSync(`${path}.new`, `${JSON.stringify(this.#head)}\n${textOf(lines)}`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#lines = lines.length;
  }
}

function textOf(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
