/** Units: characters. Less is put together before it is given. */
const PIECE = 64 * 1024;

/** How far down a value is taken apart: a result, and the lists and objects in it. */
const DEPTH = 2;

/**
 * Gives the text of `JSON.stringify(value, undefined, indent)` in pieces. As a whole, that of a million planned changes takes more than
 * a text may be long: 512 Mi characters. What makes its items when they are asked for is written as a list of them, without one.
 */
export function* jsonText(value: unknown, indent = 0): Generator<string> {
  let piece = '';
  for (const part of partsOf(value, DEPTH, indent === 0 ? COMPACT : { indent, colon: ': ', newline: '\n' })) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** How a value is laid out, and what begins a line where it stands. */
interface Layout {
  readonly indent: number;
  readonly colon: string;
  readonly newline: string;
}

const COMPACT: Layout = { indent: 0, colon: ':', newline: '' };

function* partsOf(value: unknown, depth: number, layout: Layout): Generator<string> {
  const { indent, newline } = layout;
  if (depth === 0 || typeof value !== 'object' || value === null || 'toJSON' in value) {
    // What JSON has not stands as null in a list. No text in JSON holds a line feed as it is.
    yield JSON.stringify(value ?? null, undefined, indent).replaceAll('\n', newline);
    return;
  }
  const [open, close] = isIterable(value) ? ['[', ']'] : ['{', '}'];
  const inner = newline + ' '.repeat(indent);
  let before = open;
  for (const [name, child] of childrenOf(value, layout)) {
    yield `${before}${inner}${name}`;
    yield* partsOf(child, depth - 1, { ...layout, newline: inner });
    before = ',';
  }
  yield before === open ? `${open}${close}` : `${newline}${close}`;
}

function* childrenOf(value: object, { colon }: Layout): Generator<[name: string, child: unknown]> {
  if (isIterable(value)) {
    for (const child of value) yield ['', child];
    return;
  }
  for (const key of Object.keys(value)) {
    const child = (value as Readonly<Record<string, unknown>>)[key];
    if (child !== undefined) yield [`${JSON.stringify(key)}${colon}`, child];
  }
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}
