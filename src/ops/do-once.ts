import { GypsumError, isGypsumError } from '../errors.ts';

/**
 * Does what must not be done twice, and tells by `isDone` what came of it where the answer was lost.
 *
 * Throws `unavailable`, with `hint`, if it cannot be told.
 */
export async function doOnce(work: () => Promise<void>, isDone: () => Promise<boolean>, hint: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isGypsumError(error, 'unavailable')) throw error;
    const done = await isDone().catch(() => undefined);
    if (done === true) return;
    if (done === false) throw error;
    throw new GypsumError('unavailable', error.message, { hint, details: error.details, cause: error });
  }
}
