import { readFileSync } from 'node:fs';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** Gives the text of a file with certificates, or throws `invalid-argument`; `name` is what the file was taken from. */
export function readCaFile(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) throw error;
    throw new GypsumError('invalid-argument', `The file of certificates ${showText(path)} cannot be read.`, {
      hint: `It was taken from ${name}: give the path of a PEM file there.`,
      details: { path },
      cause: error,
    });
  }
}
