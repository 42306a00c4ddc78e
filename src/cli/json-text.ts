/** Units: characters. Less is put together before it is given. */
const PIECE = 64 * 1024;

/** How far down a value is taken apart: a result, and the lists and objects in it. */
const DEPTH = 2;

/**
 * Gives the text of `JSON.stringify(value, undefined, 2)` in pieces. As a whole, that of a million planned changes takes more than
 * a text may be long: 512 Mi characters.
 */
export function* jsonText(value: unknown): Generator<string> {
  let piece = '';
  for (const part of partsOf(value, DEPTH, '\n')) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function* partsOf(value: unknown, depth: number, newline: string): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null || 'toJSON' in value) {
    // What JSON has not stands as null in a list. No text in JSON holds a line feed as it is.
    yield JSON.stringify(value ?? null, undefined, 2).replaceAll('\n', newline);
    return;
  }
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const inner = `${newline}  `;
  let before = open;
  for (const [name, child] of childrenOf(value)) {
    yield `${before}${inner}${name}`;
    yield* partsOf(child, depth - 1, inner);
    before = ',';
  }
  yield before === open ? `${open}${close}` : `${newline}${close}`;
}

function* childrenOf(value: object): Generator<[name: string, child: unknown]> {
  if (Array.isArray(value)) {
    for (const child of value) yield ['', child];
    return;
  }
  for (const key of Object.keys(value)) {
    const child = (value as Readonly<Record<string, unknown>>)[key];
    if (child !== undefined) yield [`${JSON.stringify(key)}: `, child];
  }
}
