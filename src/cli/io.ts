import type { Terminal } from './progress-terminal.ts';

/** What a command line is given by whoever runs it. */
export interface Io {
  readonly signal: AbortSignal;
  /** Called before a command acts, and not where no more is shown than how it is used. */
  readonly begin?: () => Promise<void>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /**
   * Writes to standard output and gives, once that is taken, whether somebody reads on. @default `stdout`, for text
   */
  readonly pipe?: (chunk: Uint8Array | string) => Promise<boolean>;
  /** Whether standard output shows colors. @default false */
  readonly colors?: boolean;
  /** Gives what `stderr` writes to, where that is a terminal; else it is a log. Asked when a command begins. */
  readonly terminal?: () => Promise<Terminal | undefined>;
}
