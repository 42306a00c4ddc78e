import { readFileSync } from 'node:fs';

/** What the registry answers to an exchange that it answers otherwise than the public one. */
export interface Difference {
  /** 0 where the request takes something from an answer that was never given, and cannot be sent. */
  readonly status: number;
  readonly why: string;
}

/** The exchanges of the table in the docs, which is the only place where a difference is told. */
export const DIFFERENCES: ReadonlyMap<string, Difference> = new Map(
  readFileSync(new URL('../../../docs/differences.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => {
      const [here = '', why = '', exchanges = ''] = line.slice(2).split(' | ');
      return [...exchanges.matchAll(/`([^`]+)` → (\d{3}|not sent)/g)].map(
        ([, id = '', status]): [string, Difference] => [
          id,
          { status: status === 'not sent' ? 0 : Number(status), why: `${here}: ${why}` },
        ],
      );
    }),
);
