import { readFile } from 'node:fs/promises';
import { GypsumError, isGypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

/**
 * Reads a plan that a user has kept as JSON, or throws `invalid-argument` naming the file; `made` says how one is made, and
 * `check` throws the same for what is no such plan.
 */
export async function readPlanFile<Plan>(path: string, made: string, check: (value: unknown) => Plan): Promise<Plan> {
  // What holds something else is not to be written over.
  const refuse = (why: string, cause?: unknown, writeTo = 'plan.json') =>
    new GypsumError('invalid-argument', `There is no plan in ${showText(path)}: ${why}`, {
      hint: `Have one written: ${made} > ${showText(writeTo)}`,
      details: { path },
      cause,
    });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw refuse('there is no such file.', error, path);
    if (isSystemError(error, 'EISDIR')) throw refuse('it is a folder.', error);
    throw error;
  }
  if (text.trim() === '') throw refuse('it is empty.', undefined, path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('it is not JSON.', error);
  }
  try {
    return check(value);
  } catch (error) {
    if (!isGypsumError(error, 'invalid-argument')) throw error;
    throw refuse(`it holds something else. ${error.message}`, error);
  }
}
