import { createHash, type Hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { GypsumError } from './errors.ts';
import type { Digest } from './model/digest.ts';

/** What some content must be. */
export interface Expected {
  readonly digest: Digest;
  /** Units: bytes */
  readonly size: number;
}

/** Takes content in pieces and says at the end whether it was the expected one. */
export interface Verifier {
  /** Throws `wrong-content` as soon as there is too much. */
  update(chunk: Uint8Array): void;
  /** Throws `wrong-content` unless all that came is exactly what was expected. */
  end(): void;
}

/**
 * Makes a verifier; `what` names the content in its errors.
 *
 * Too little is told apart by `details.missing`: the bytes that came may be good and the rest may be asked for again.
 */
export function createVerifier(expected: Expected, what: string): Verifier {
  const hash: Hash = createHash(expected.digest.algorithm);
  const counter = createCounter(expected, what);
  return {
    update(chunk) {
      counter.update(chunk);
      hash.update(chunk);
    },
    end() {
      counter.end();
      checkDigest(expected, hash.digest('hex'), what);
    },
  };
}

/** Makes one that takes the bytes' number for all that there is to verify, of which so many are there already. */
export function createCounter({ size }: Expected, what: string, there = 0): Verifier {
  let seen = there;
  return {
    update(chunk) {
      seen += chunk.byteLength;
      if (seen > size) throw wrong(what, `it is longer than the ${size} bytes it must have`, { size });
    },
    end() {
      if (seen < size) {
        throw wrong(what, `it ended after ${seen} of ${size} bytes`, { size, seen, missing: size - seen });
      }
    },
  };
}

/** Throws `wrong-content` unless a digest is the expected one. */
export function checkDigest({ digest }: Expected, actual: string, what: string): void {
  if (actual === digest.hex) return;
  throw wrong(what, `its ${digest.algorithm} is ${actual}, not ${digest.hex}`, { expected: digest.hex, actual });
}

/** Gives content back if it is the expected one, or throws `wrong-content`. */
export function verifyWhole<Content extends Uint8Array>(content: Content, expected: Expected, what: string): Content {
  const verifier = createVerifier(expected, what);
  verifier.update(content);
  verifier.end();
  return content;
}

/**
 * Passes bytes on, and fails with `wrong-content` unless they are the expected ones.
 *
 * `onBytes` hears of them as they pass: a listener for `data` would take them from whoever reads the stream later.
 */
export function verifyStream(expected: Expected, what: string, onBytes?: (bytes: number) => void): Transform {
  return streamThrough(createVerifier(expected, what), onBytes);
}

/** The same with a verifier that has seen the beginning already. */
export function streamThrough(verifier: Verifier, onBytes?: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      try {
        verifier.update(chunk);
        onBytes?.(chunk.byteLength);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        verifier.end();
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function wrong(what: string, why: string, details: Record<string, unknown>): GypsumError {
  return new GypsumError('wrong-content', `The content of ${what} is wrong: ${why}.`, { details });
}
