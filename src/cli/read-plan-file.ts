import { readFile } from 'node:fs/promises';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** Reads the JSON of a plan that a user has kept, or throws `invalid-argument` naming the file; `made` says how one is made. */
export async function readPlanFile(path: string, made: string): Promise<unknown> {
  const refuse = (why: string, cause?: unknown) =>
    new GypsumError('invalid-argument', `There is no plan in ${showText(path)}: ${why}.`, {
      hint: `Have one written: ${made} > ${showText(path)}`,
      details: { path },
      cause,
    });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw refuse('there is no such file', error);
    if (isSystemError(error, 'EISDIR')) throw refuse('it is a folder', error);
    throw error;
  }
  if (text.trim() === '') throw refuse('it is empty');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
}
