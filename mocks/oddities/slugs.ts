import { parseJsonIfAny } from '../../src/model/json.ts';
import { keys } from '../../src/model/keys.ts';
import type { FileRef } from '../../src/model/refs.ts';
import { readTicket } from '../../src/server/signer.ts';

/** What a slug says, whoever wrote it. */
export interface Slug extends FileRef {
  readonly md5sum: string;
}

/** Writes a slug as the public registry does. */
export function latin1Slug({ project, asset, version, path, md5sum }: Slug): string {
  return Buffer.from(JSON.stringify([project, asset, version, path, md5sum]), 'latin1').toString('base64');
}

/** Writes one of the form of ours, which our registry has not signed. */
export function unsignedSlug({ project, asset, version, path, md5sum }: Slug): string {
  return `${Buffer.from(JSON.stringify([project, asset, version, path, md5sum])).toString('base64url')}.unsigned`;
}

/** Reads a slug of either form; nothing for what is none. */
export function readSlug(text: string): Slug | undefined {
  return text.includes('.') ? readTicket(text) : readLatin1Slug(text);
}

/** Gives the key of the object that a slug, or a ticket, is about. */
export function slugKey(text: string): string | undefined {
  const slug = readSlug(text);
  return slug && keys.file(slug);
}

function readLatin1Slug(text: string): Slug | undefined {
  const fields = parseJsonIfAny(Buffer.from(text, 'base64').toString('latin1'));
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === 'string')) return undefined;
  const [project = '', asset = '', version = '', path = '', md5sum = ''] = fields;
  return { project, asset, version, path, md5sum };
}
