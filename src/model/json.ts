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

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value that came as JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
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
 * Gives the entries of a JSON object as those of smaller ones, so that a large one is never in memory as a whole, neither as
 * text nor as values; nothing if it is JSON of something else. Throws a `SyntaxError` where it comes to what is no JSON.
 *
 * A document is cut at commas between its entries: it is JSON if each of the pieces is.
 */
export function jsonObjects(json: Buffer, piece: number = PIECE): Iterable<JsonObject> | undefined {
  let start = 0;
  while (isSpace(json[start])) start++;
  if (json[start] === OPEN) return cutObject(json, start + 1, piece);
  JSON.parse(json.toString('utf8'));
  return undefined;
}

/**
 * Gives what stands in a JSON list, between two places of a text, as what stands in smaller ones. Throws a `SyntaxError` where
 * it comes to what is no JSON.
 */
export function* jsonLists(json: string, from: number, to: number, piece: number = PIECE): Generator<unknown[]> {
  let start = from;
  for (const { text, next } of guessPieces(json, from, to, piece)) {
    const items = parseJsonIfAny(`[${text}]`);
    if (!Array.isArray(items)) break;
    yield items;
    start = next;
  }
  const rest: unknown[] = JSON.parse(`[${json.slice(start, to)}]`);
  if (start > from && rest.length === 0) throw nothingBesideComma();
  yield rest;
}

function* cutObject(json: Buffer, from: number, piece: number): Generator<JsonObject> {
  let end = json.length - 1;
  while (isSpace(json[end])) end--;
  if (end < from || json[end] !== CLOSE) throw new SyntaxError('The object has no end.');
  let start = from;
  for (const { text, next } of guessPieces(json, from, end, piece)) {
    const entries = parseJsonIfAny(`{${text}}`);
    if (!isObject(entries)) break;
    yield entries;
    start = next;
  }
  yield* walkObject(json, start, end, piece, start > from);
}

/**
 * Cuts where an entry that is an object seems to end. What is cut out is JSON only if it does: if that was inside of a text or
 * of another object, something has no end. To look at each byte takes 60 ms of a manifest of 100,000 files.
 */
function* guessPieces(json: Buffer | string, from: number, to: number, piece: number) {
  for (let start = from; ; ) {
    const end = json.indexOf('},', start + piece) + 1;
    if (end === 0 || end >= to) return;
    const text = typeof json === 'string' ? json.slice(start, end) : json.toString('utf8', start, end);
    start = end + 1;
    yield { text, next: start };
  }
}

/** Looks at each byte to find the commas between entries. */
function* walkObject(json: Buffer, from: number, end: number, piece: number, isRest: boolean): Generator<JsonObject> {
  let start = from;
  let depth = 0;
  for (let at = from; at < end; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfText(json, at);
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
    else if (byte === COMMA && depth === 0 && at - start >= piece) {
      yield parsePiece(json, start, at, true);
      start = at + 1;
    }
  }
  yield parsePiece(json, start, end, isRest || start > from);
}

/** Gives the place of the quote that ends a text, or that of the last byte. */
function endOfText(json: Buffer, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

function parsePiece(json: Buffer, start: number, end: number, isPart: boolean): JsonObject {
  const entries: JsonObject = JSON.parse(`{${json.toString('utf8', start, end)}}`);
  if (isPart && Object.keys(entries).length === 0) throw nothingBesideComma();
  return entries;
}

function nothingBesideComma(): SyntaxError {
  return new SyntaxError('There is nothing beside a comma.');
}

/** Source: RFC 8259, section 2 */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
