import { errorLines } from './report.ts';

/** Tells of errors that may come again and again. */
export interface ErrorTeller {
  /** Tells of an error, unless it is the one that was told last. */
  tell(error: unknown): void;
  /** All was well meanwhile: whatever comes next is told. */
  reset(): void;
}

export function createErrorTeller(say: (lines: string) => void): ErrorTeller {
  let said: string | undefined;
  return {
    tell(error) {
      const lines = errorLines(error);
      if (lines !== said) say(lines);
      said = lines;
    },
    reset() {
      said = undefined;
    },
  };
}
