import type { ByteRange, ObjectInfo } from './storage.ts';

/** How a request for an object is answered. */
export interface ReadPlan {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** What of the object is read; an empty range where nothing is. */
  readonly range: ByteRange;
  /** Of the answer's body; nothing where there is none. Units: bytes */
  readonly length: number | undefined;
}

const NOTHING: ByteRange = { start: 0, end: -1 };

/**
 * Honours `If-None-Match` and, on GET, a single `Range` with its `If-Range`. What cannot be understood is ignored, as
 * the standard asks.
 *
 * Source: RFC 9110, sections 13 and 14
 */
export function planRead(request: Request, { size, md5 }: ObjectInfo): ReadPlan {
  const etag = `"${md5}"`;
  if (namesTag(request.headers.get('if-none-match'), etag)) {
    return { status: 304, headers: {}, range: NOTHING, length: undefined };
  }
  const range = request.method === 'GET' ? askedRange(request.headers, etag, size) : undefined;
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${size}` }, range: NOTHING, length: undefined };
  }
  if (range === undefined) return { status: 200, headers: {}, range: { start: 0, end: size - 1 }, length: size };
  const { start, end } = range;
  const headers = { 'content-range': `bytes ${start}-${end}/${size}` };
  return { status: 206, headers, range, length: end - start + 1 };
}

function namesTag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.split(',').some((tag) => {
    const text = tag.trim();
    return text === '*' || text.replace(/^W\//, '') === etag;
  });
}

function askedRange(headers: Headers, etag: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const condition = headers.get('if-range');
  if (condition !== null && condition.trim() !== etag) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : 'unsatisfiable';
}
