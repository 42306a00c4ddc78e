import { randomUUID } from 'node:crypto';
import { constants, writeSync } from 'node:fs';
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { countFiles } from '../model/count.ts';
import type { VersionRef } from '../model/refs.ts';
import { thisProcess } from '../process-owner.ts';
import {
  parseUploadRecord,
  type RecordedSession,
  type UploadBegin,
  type UploadEntry,
  type UploadRecord,
} from './upload-record.ts';

/** A file that should say something of an upload, and does not. */
export interface DamagedRecord {
  readonly path: string;
  readonly reason: string;
}

/** Takes down which files of an upload the registry has. */
export interface SentFiles {
  add(path: string): void;
  close(): Promise<void>;
}

/**
 * What is written down of uploads, so that they survive their process. It belongs to one user, and holds the tokens of
 * sessions.
 *
 * Shape:  <folder>/uploads/<id>.jsonl   mode 0600; see `parseUploadRecord`
 */
export interface UploadStore {
  /** Writes down that an upload is going to be started, and by this process; gives its id. */
  announce(registry: string, ref: VersionRef): Promise<string>;
  /** Writes down what the registry answered: from here on the upload can be brought to an end, come what may. */
  keep(id: string, session: Omit<RecordedSession, 'total'>): Promise<void>;
  /** Writes down that this process takes an upload up; gives the name of its claim, or nothing where nothing is written down any more. */
  claim(id: string): Promise<string | undefined>;
  /** Writes down that this process goes on without an upload. */
  leave(id: string, claim: string): Promise<void>;
  /** Gives nothing where nothing is written down any more. */
  openSent(id: string): Promise<SentFiles | undefined>;
  /** Gives what is written down of an upload; nothing if there is nothing any more. */
  read(id: string): Promise<UploadRecord | undefined>;
  /** Gives all that is written down, the oldest first, whatever is damaged. */
  list(): Promise<{ records: UploadRecord[]; damaged: DamagedRecord[] }>;
  /** Forgets an upload that has come to its end. */
  forget(id: string): Promise<void>;
}

const NAME = /^([0-9a-f-]{36})\.jsonl$/;

/** How many lines are written at once: a write for each would take a second for 100,000 files. */
const LINES_AT_ONCE = 1000;

/** Keeps what is written down of uploads in a folder of the user's own, which is made when it is needed. */
export function createUploadStore(folder: string): UploadStore {
  const uploads = join(folder, 'uploads');
  const pathOf = (id: string) => join(uploads, `${id}.jsonl`);

  return {
    async announce(registry, ref) {
      const id = randomUUID();
      const { project, asset, version } = ref;
      const begin: UploadBegin = { format: 1, registry, project, asset, version, since: new Date().toISOString() };
      makeFolder(uploads, 0o700);
      const lines = [begin, { claim: id, ...thisProcess() }].map(toLine);
      await write(await open(pathOf(id), 'wx', 0o600), lines);
      return id;
    },

    async keep(id, { files, ...session }) {
      // The session first: whoever is killed before all files are written down can abort it.
      await append(pathOf(id), [
        { session: { ...session, total: countFiles(files) } },
        ...files.map((file) => ({ file })),
      ]);
    },

    async claim(id) {
      const claim = randomUUID();
      return unlessGone(append(pathOf(id), [{ claim, ...thisProcess() }]).then(() => claim));
    },

    async leave(id, claim) {
      await unlessGone(append(pathOf(id), [{ left: claim }]));
    },

    async openSent(id) {
      const handle = await unlessGone(open(pathOf(id), APPEND));
      if (handle === undefined) return undefined;
      return {
        add(path) {
          try {
            // No disk is waited for: what a power cut takes is sent again. A few bytes at once take less than to wait for them.
            writeSync(handle.fd, toLine({ sent: path }));
          } catch (error) {
            if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error;
          }
        },
        close: () => handle.close(),
      };
    },

    async read(id) {
      return unlessGone(readRecord(pathOf(id), id));
    },

    async list() {
      const records: UploadRecord[] = [];
      const damaged: DamagedRecord[] = [];
      for (const name of (await unlessGone(readdir(uploads))) ?? []) {
        const id = NAME.exec(name)?.[1];
        if (id === undefined) continue;
        const path = join(uploads, name);
        try {
          const record = await readRecord(path, id);
          if (record === undefined) damaged.push({ path, reason: 'it is not what this version writes there' });
          else records.push(record);
        } catch (error) {
          // It has come to its end meanwhile.
          if (isSystemError(error, 'ENOENT')) continue;
          if (!isSystemError(error, 'EACCES', 'EPERM', 'EISDIR', 'EIO', 'ELOOP')) throw error;
          damaged.push({ path, reason: `it cannot be read (${error.code})` });
        }
      }
      records.sort((a, b) => a.since.getTime() - b.since.getTime());
      return { records, damaged };
    },

    async forget(id) {
      await unlessGone(unlink(pathOf(id)));
    },
  };
}

const APPEND = constants.O_WRONLY | constants.O_APPEND;

/** Whoever was killed may have left half a line: it is ended. */
async function append(path: string, entries: readonly UploadEntry[]): Promise<void> {
  await write(await open(path, APPEND), ['\n', ...entries.map(toLine)]);
}

/** Writes lines down for good, and closes the file. */
async function write(handle: FileHandle, lines: readonly string[]): Promise<void> {
  try {
    for (let at = 0; at < lines.length; at += LINES_AT_ONCE) {
      await handle.appendFile(lines.slice(at, at + LINES_AT_ONCE).join(''));
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function toLine(entry: UploadBegin | UploadEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

async function readRecord(path: string, id: string): Promise<UploadRecord | undefined> {
  const handle = await open(path);
  try {
    return await parseUploadRecord(id, handle.readLines({ autoClose: false }));
  } finally {
    await handle.close();
  }
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
