import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** Says that a local file is not what it was when it was looked at. */
export function fileChanged(source: string, cause: unknown): GypsumError {
  return new GypsumError('file-changed', `${showText(source)} changed or vanished while it was being read.`, {
    hint: 'Wait until nobody writes to the folder, then do it again.',
    details: { source },
    cause,
  });
}
