import type { Context } from '../context.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import { pathFault } from '../model/names.ts';
import type { FileRef } from '../model/refs.ts';
import type { EntryFacts, TargetType } from '../model/tree.ts';
import type { LocalFile } from '../model/upload-plan.ts';
import type { Astray } from './astray-links.ts';
import type { Shown } from './find-changed.ts';

/** One thing that a folder holds, and what publishing makes of it. */
export type Found = FoundFile | FoundLink | FoundSymlink | FoundFolder | FoundSpecial;

/** Modes and times are known where symlinks are kept. */
interface At extends EntryFacts {
  readonly path: string;
  /** Publishing refuses it. */
  readonly fault?: Fault;
  /** It stands in a folder elsewhere, to which a symlink leads. */
  readonly isElsewhere?: true;
}

/** A real file: its content is sent. */
export interface FoundFile extends At, LocalFile {
  readonly type: 'file';
}

/** A file of a folder that stands for a file of a version. */
export interface Linked extends Shown {
  readonly path: string;
  readonly file: FileRef;
  /** It leads into the site cache. */
  readonly inSite?: boolean;
}

/** A symlink into a cache, or a real file that is as its version's: it becomes a link, or its content is sent. */
export interface FoundLink extends At, Linked {
  readonly type: 'link';
  /** `hardlink`: it is the cached file itself, of which it is not known here whether it was edited, as of a symlink's. */
  readonly how: 'symlink' | 'hardlink' | 'copy';
  /** Its cached file was as it was verified, when the folder was read. */
  readonly isRight?: true;
  /** How a copy looks. */
  readonly seen?: Fingerprint;
  /** The size of the content to be sent, where a link cannot be made. Units: bytes */
  readonly sent?: number;
  /** The content to be sent is to be fetched first. */
  readonly isMissing?: true;
}

/** A symlink to elsewhere: what it leads to is sent, unless it is kept. What is in a folder follows. */
export interface FoundSymlink extends At {
  readonly type: 'symlink';
  /** Its text. */
  readonly target: string;
  /** Of the file that it leads to. Units: bytes */
  readonly size?: number;
  /** It is one in a version, too. */
  readonly isKept?: true;
  /** What it leads to where it is kept. */
  readonly targetType?: TargetType;
  /** It is kept, and leads out of the folder, to what another machine may not have. */
  readonly leadsOut?: true;
}

/** A folder, told of where symlinks are kept: else folders are nothing. */
export interface FoundFolder extends At {
  readonly type: 'directory';
}

export interface FoundSpecial extends At {
  readonly type: 'special';
}

/** Why a version cannot hold something. */
export interface Fault {
  readonly kind: 'name' | keyof typeof FAULTS;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
  /** Where an `astray` symlink leads. */
  readonly astray?: Astray;
}

const FAULTS = {
  special: 'is neither a file nor a folder nor a link',
  changing: 'is a file of a version that may still change',
  unlinked: 'is a symlink that leads to no file of a finished version in the cache',
  loop: 'is a symlink that leads to itself',
  circle: 'is a symlink to a folder that it stands in',
  lost: 'is a symlink to a file of the cache that is not there, and that no finished version has',
  dangling: 'is a symlink to nothing',
  astray: 'is a symlink into a cache that has it not, or is not there',
  escape: 'is a symlink that leads out of the folder',
  refused: 'is a symlink, and none is wanted',
  'no-file': 'is a symlink to something that is neither a file nor a folder',
} as const;

export function faultOf(kind: keyof typeof FAULTS): Fault {
  return { kind, why: FAULTS[kind] };
}

/** Says what makes a path one that no version can have; nothing if it is fine. */
export function faultOfName(path: string): Fault | undefined {
  const why = pathFault(path);
  return why === undefined ? undefined : { kind: 'name', why };
}

/** Gives where the file is that a link leads to. */
export function cachedPlace({ cache, site }: Context, { file, inSite }: Linked): string {
  return (inSite && site !== undefined ? site : cache).layout.file(file);
}

/** Gives what of an entry is sent when its folder is published; nothing of a link, and of what is refused. */
export function sentOf(entry: Found): LocalFile | undefined {
  if (entry.fault !== undefined || entry.type === 'special' || entry.type === 'directory') return undefined;
  const size = entry.type === 'link' ? entry.sent : entry.size;
  return size === undefined ? undefined : { path: entry.path, size };
}
