/**
 * Texts by texts, for millions that are mostly only kept: outside of the heap, which V8 lets grow by a multiple of what lives
 * there. Digits and digests are packed: of 300,000, a stamp and a digest took 77 bytes, of which they take 200 in a `Map`.
 *
 * Shape:  of a record   1 byte (whether it counts), 4 (bytes of the key), 4 (bytes of the value), key, value
 */
export class TextMap {
  /** The records, one behind the other; none lies in two pieces. A longer one has a piece of its own. */
  #pieces: Buffer[] = [];
  #end = PIECE;
  /** Where records begin, by the hashes of their keys, in the first slot that was free. */
  #slots = new Uint32Array(1024);
  #used = 0;
  #size = 0;
  #wasted = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): string | undefined {
    const at = this.#slots[this.#slotOf(key)] ?? FREE;
    return at === FREE ? undefined : this.#valueAt(at);
  }

  has(key: string): boolean {
    return this.#slots[this.#slotOf(key)] !== FREE;
  }

  set(key: string, value: string): void {
    const slot = this.#slotOf(key);
    const before = this.#slots[slot] ?? FREE;
    if (before !== FREE && this.#valueAt(before) === value) return;
    if (before === FREE) {
      this.#size++;
      this.#used++;
    } else this.#drop(before);
    this.#slots[slot] = this.#add(key, value);
    if (this.#used * 2 > this.#slots.length) this.#sortAnew(this.#size * 4);
    if (this.#wasted > PIECE && this.#wasted * 2 > this.#pieces.length * PIECE) this.#writeAnew();
  }

  delete(key: string): void {
    const slot = this.#slotOf(key);
    const at = this.#slots[slot] ?? FREE;
    if (at === FREE) return;
    this.#drop(at);
    this.#slots[slot] = GONE;
    this.#size--;
  }

  *keys(): Generator<string> {
    for (const at of this.#records()) yield this.#keyAt(at);
  }

  /** Gives all, in the order in which they were set. */
  *[Symbol.iterator](): Generator<[key: string, value: string]> {
    for (const at of this.#records()) yield [this.#keyAt(at), this.#valueAt(at)];
  }

  /** Gives the slot of a key, or the free one where it belongs. */
  #slotOf(key: string): number {
    const length = pack(key);
    const last = this.#slots.length - 1;
    for (let slot = hashOf(scratch, 0, length) & last; ; slot = (slot + 1) & last) {
      const at = this.#slots[slot] ?? FREE;
      if (at === FREE) return slot;
      if (at === GONE) continue;
      const [piece, begin] = this.#pieceOf(at);
      if (piece.readUInt32LE(begin + 1) !== length) continue;
      if (piece.compare(scratch, 0, length, begin + HEAD, begin + HEAD + length) === 0) return slot;
    }
  }

  #add(key: string, value: string): number {
    const keyLength = pack(key);
    const valueLength = pack(value, keyLength) - keyLength;
    const length = HEAD + keyLength + valueLength;
    if (this.#end + length > PIECE) {
      this.#pieces.push(Buffer.alloc(Math.max(PIECE, HEAD + length)));
      // No record begins where slots say something else.
      this.#end = this.#pieces.length === 1 ? HEAD : 0;
    }
    const at = (this.#pieces.length - 1) * PIECE + this.#end;
    if (at > MAX) throw new Error('more texts than can be told apart');
    const [piece, begin] = this.#pieceOf(at);
    piece[begin] = 1;
    piece.writeUInt32LE(keyLength, begin + 1);
    piece.writeUInt32LE(valueLength, begin + 5);
    scratch.copy(piece, begin + HEAD, 0, keyLength + valueLength);
    this.#end += length;
    return at;
  }

  #drop(at: number): void {
    const [piece, begin] = this.#pieceOf(at);
    piece[begin] = 0;
    this.#wasted += lengthAt(piece, begin);
  }

  *#records(): Generator<number> {
    for (const [number, piece] of this.#pieces.entries()) {
      const isLast = number === this.#pieces.length - 1;
      for (let begin = number === 0 ? HEAD : 0; begin < (isLast ? this.#end : piece.length - HEAD); ) {
        const length = lengthAt(piece, begin);
        // Nothing is behind it: the next one had no room.
        if (length === HEAD) break;
        if (piece[begin] === 1) yield number * PIECE + begin;
        begin += length;
      }
    }
  }

  #sortAnew(slots: number): void {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(slots, 1024))));
    this.#used = this.#size;
    const last = this.#slots.length - 1;
    for (const at of this.#records()) {
      const [piece, begin] = this.#pieceOf(at);
      let slot = hashOf(piece, begin + HEAD, begin + HEAD + piece.readUInt32LE(begin + 1)) & last;
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & last;
      this.#slots[slot] = at;
    }
  }

  #writeAnew(): void {
    const fresh = new TextMap();
    for (const [key, value] of this) fresh.set(key, value);
    this.#pieces = fresh.#pieces;
    this.#end = fresh.#end;
    this.#slots = fresh.#slots;
    this.#used = fresh.#used;
    this.#wasted = 0;
  }

  #keyAt(at: number): string {
    const [piece, begin] = this.#pieceOf(at);
    return unpack(piece, begin + HEAD, begin + HEAD + piece.readUInt32LE(begin + 1));
  }

  #valueAt(at: number): string {
    const [piece, begin] = this.#pieceOf(at);
    return unpack(piece, begin + HEAD + piece.readUInt32LE(begin + 1), begin + lengthAt(piece, begin));
  }

  #pieceOf(at: number): [piece: Buffer, begin: number] {
    const piece = this.#pieces[Math.floor(at / PIECE)];
    if (piece === undefined) throw new Error(`no record begins at ${at}`);
    return [piece, at % PIECE];
  }
}

/** Units: bytes */
const PIECE = 1024 * 1024;

/** Units: bytes. What stands before a key. */
const HEAD = 9;

/** What slots have where no record begins. */
const [FREE, GONE] = [0, 1];

/** The last number of 32 bits. */
const MAX = 2 ** 32 - 1;

function lengthAt(piece: Buffer, begin: number): number {
  return HEAD + piece.readUInt32LE(begin + 1) + piece.readUInt32LE(begin + 5);
}

/** How a text is packed, as the first of its bytes says: two digits in a byte, two characters of a digest, one character, or a half. */
const [DIGITS, DIGEST, LATIN, WIDE] = [0, 1, 2, 3];

let scratch = Buffer.alloc(64 * 1024);

/** Packs a text into `scratch`; gives where it ends. */
function pack(text: string, at = 0): number {
  const needed = at + 1 + 2 * text.length;
  if (needed > scratch.length) scratch = Buffer.concat([scratch], 2 * needed);
  if (/^[\d -]+$/.test(text)) {
    scratch[at] = DIGITS;
    const even = text.length % 2 === 0 ? text : `${text}f`;
    return at + 1 + scratch.write(even.replaceAll(' ', 'a').replaceAll('-', 'b'), at + 1, 'hex');
  }
  if (/^(?:[\da-f]{2})+$/.test(text)) {
    scratch[at] = DIGEST;
    return at + 1 + scratch.write(text, at + 1, 'hex');
  }
  const isWide = /[^\0-\xff]/.test(text);
  scratch[at] = isWide ? WIDE : LATIN;
  return at + 1 + scratch.write(text, at + 1, isWide ? 'utf16le' : 'latin1');
}

function unpack(bytes: Buffer, begin: number, end: number): string {
  const how = bytes[begin];
  if (how === LATIN) return bytes.toString('latin1', begin + 1, end);
  if (how === WIDE) return bytes.toString('utf16le', begin + 1, end);
  const text = bytes.toString('hex', begin + 1, end);
  if (how === DIGEST) return text;
  return text.replaceAll('a', ' ').replaceAll('b', '-').replace('f', '');
}

/** Source: FNV-1a */
function hashOf(bytes: Buffer, begin: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  // Its upper bits are the better ones.
  return (hash ^ (hash >>> 15)) >>> 0;
}
