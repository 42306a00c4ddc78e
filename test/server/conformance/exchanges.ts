import { readFileSync } from 'node:fs';
import type { Credentials } from '../../../src/server/index.ts';
import type { Exchange } from './replay.ts';

/** What was recorded with the public registry, in order. */
export const EXCHANGES: readonly Exchange[] = readFileSync(
  new URL('../../fixtures/conformance.jsonl', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Exchange);

/** What the public registry gave out. */
export const CREDENTIALS: Credentials = {
  's3-api': {
    endpoint: 'https://bucket.example.org',
    bucket: 'gypsum-test',
    key: 'live-public-key',
    secret: 'live-public-secret',
  },
  'github-app': { id: 'live-github-app-id', secret: 'live-github-app-secret' },
};
