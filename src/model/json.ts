import type { Buffer } from 'node:buffer';

/** Reads JSON; nothing if it is not, for texts that may be lost without harm. */
export function parseJsonIfAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a value that came as JSON is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How much of a document is parsed at once. Units: bytes */
const PIECE = 64 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Gives the entries of a JSON object one after the other, so that a large one is never in memory as a whole, neither as
 * text nor as values; nothing if it is JSON of something else. Throws a `SyntaxError` where it comes to what is no JSON.
 *
 * A document is cut at commas between its entries: it is JSON if each of the pieces is.
 */
export function jsonEntries(json: Buffer, piece: number = PIECE): Iterable<[string, unknown]> | undefined {
  let start = 0;
  while (isSpace(json[start])) start++;
  if (json[start] === OPEN) return cutEntries(json, start + 1, piece);
  JSON.parse(json.toString('utf8'));
  return undefined;
}

function* cutEntries(json: Buffer, from: number, piece: number): Generator<[string, unknown]> {
  let end = json.length - 1;
  while (isSpace(json[end])) end--;
  if (end < from || json[end] !== CLOSE) throw new SyntaxError('The object has no end.');
  let start = from;
  let depth = 0;
  for (let at = from; at < end; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfText(json, at);
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
    else if (byte === COMMA && depth === 0 && at - start >= piece) {
      yield* parsePiece(json, start, at, true);
      start = at + 1;
    }
  }
  yield* parsePiece(json, start, end, start > from);
}

/** Gives the place of the quote that ends a text, or that of the last byte. */
function endOfText(json: Buffer, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

function parsePiece(json: Buffer, start: number, end: number, isPart: boolean): [string, unknown][] {
  const entries = Object.entries(JSON.parse(`{${json.toString('utf8', start, end)}}`));
  if (isPart && entries.length === 0) throw new SyntaxError('There is nothing beside a comma.');
  return entries;
}

/** Source: RFC 8259, section 2 */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
