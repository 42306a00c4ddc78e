import { parseJsonIfAny } from '../model/json.ts';

const SLUG = /^(.*?\/upload\/presigned-file\/)(.+)$/s;

/**
 * Gives the address at which a file's presigned URL is asked for, so that also the public registry finds it.
 *
 * Its slugs are JSON in Latin-1 in base64, and one that holds a slash is no route of it. Any slug of the same meaning
 * will do: six bits that are all set, which are the slash, come from nothing but `?`, DEL and what is not ASCII.
 *
 * Source: contract of the gypsum REST API, "Where the public registry is odd"
 */
export function passableSlugUrl(url: string): string {
  const [, before = '', slug = ''] = SLUG.exec(url) ?? [];
  const fields = slug.includes('/') ? parseJsonIfAny(Buffer.from(slug, 'base64').toString('latin1')) : undefined;
  if (fields === undefined) return url;
  const text = JSON.stringify(fields).replace(/[^\x20-\x3e\x40-\x7e]/g, escapeCharacter);
  return before + Buffer.from(text).toString('base64');
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
