import type { Fingerprint } from './fingerprint.ts';
import type { FileRef, VersionRef } from './refs.ts';

/** A file of a folder that is to be published. */
export interface LocalFile {
  readonly path: string;
  /** Units: bytes */
  readonly size: number;
}

/** A file that is to be published, and where it is now. */
export interface LocalSource extends LocalFile {
  /** An absolute path. */
  readonly source: string;
}

/** A file whose content is to be sent, as a registry wants to know it. */
export interface UploadFile extends LocalFile {
  readonly md5sum: string;
}

/** A file that is announced to a registry, and where it is, if that is known already: an absolute path, or here. */
export interface AnnouncedFile extends UploadFile {
  readonly source?: string;
  /** The text that it consists of, where it is made for this upload and stands nowhere else. */
  readonly content?: string;
}

/** A file to be sent, and where it is now. */
export interface PlannedFile extends UploadFile, LocalSource {}

/** A file to be sent that is made for this, and stands nowhere else. */
export interface MadeFile extends UploadFile {
  readonly content: string;
}

/** A file whose content is another one's: of another version, or of the same, where that one is sent. */
export interface UploadLink extends UploadFile {
  readonly link: FileRef;
  /** The local file or symlink that it stands for, an absolute path. */
  readonly source?: string;
  /** How that file looked when it held this content; it is read again only if it was touched since. */
  readonly seen?: Fingerprint;
}

/** What publishing would do, to the last file: plain data that may be printed, kept and applied later. */
export interface UploadPlan extends VersionRef {
  readonly files: readonly PlannedFile[];
  readonly links: readonly UploadLink[];
  /** The tree record, where it is sent; one that says what the latest version's says is among the links. */
  readonly record?: MadeFile;
  /** How many entries `.gypsumignore` leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
  /** The latest version, if every file of it and no other would be published again. */
  readonly unchangedSince?: VersionRef;
}
