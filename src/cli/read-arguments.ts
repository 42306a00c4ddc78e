import { readFileSync } from 'node:fs';
import { GypsumError } from '../errors.ts';
import { decodePath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';

/**
 * Gives the words of the command line as they were before Node put U+FFFD for bytes that are not UTF-8; Linux still has them.
 * Throws `invalid-argument` where they are lost: no other file may be taken for the one that was meant.
 */
export function readArguments(words: readonly string[]): readonly string[] {
  if (process.platform === 'linux') {
    const bytes = readFileSync('/proc/self/cmdline');
    return bytes
      .toString('latin1')
      .split('\0')
      .slice(0, -1)
      .slice(-words.length)
      .map((word) => decodePath(Buffer.from(word, 'latin1')));
  }
  const lost = words.find((word) => word.includes('\ufffd')) ?? '';
  throw new GypsumError('invalid-argument', `The argument "${showText(lost)}" is not UTF-8, and its bytes are lost.`, {
    hint: 'Go into the folder and name it ".".',
  });
}
