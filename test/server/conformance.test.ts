import { expect, test } from 'vitest';
import { githubIdentity, listen, type OpenRegistryOptions, openRegistry } from '../../src/server/index.ts';
import { startGithub } from '../helpers/github-stand-in.ts';
import { DIFFERENCES } from './conformance/differences.ts';
import { CREDENTIALS, EXCHANGES } from './conformance/exchanges.ts';
import { createReplayer, type Exchange, type Outcome } from './conformance/replay.ts';
import { temporaryFolder } from './rig.ts';

/** Whoever is not tagged with one of these answers to the letter. */
const ODD = ['quirk', 'destructive', 'cache', 'slug', 's3', 'runtime-message', 'config'];

/** Differences of the contract that the recording has not tagged. */
const UNTAGGED = ['read-get-range', 'read-get-if-none-match'];

/** Plays some of the recording, in order, against a registry of its own. */
async function play(played: readonly Exchange[], options: Partial<OpenRegistryOptions> = {}) {
  const unexpected: unknown[] = [];
  const registry = await openRegistry({
    data: await temporaryFolder(),
    identity: githubIdentity({ url: (await startGithub()).url }),
    admins: ['LTLA', 'jkanche'],
    onError: (error) => unexpected.push(error),
    ...options,
  });
  const listener = await listen(registry.fetch);
  const replay = createReplayer(listener.url);
  const outcomes = new Map<string, Outcome>();
  try {
    for (const exchange of played) {
      // What uses a part of an answer that differed cannot be sent.
      const outcome = await replay(exchange).catch((error: unknown) => ({ status: 0, differences: [String(error)] }));
      outcomes.set(exchange.id, outcome);
    }
  } finally {
    await listener.close();
    await registry.close();
  }
  expect(unexpected).toEqual([]);
  return outcomes;
}

test('answers as the public registry does, but for the differences that are told', async () => {
  const outcomes = await play(EXCHANGES);
  expect(outcomes.size).toBe(523);
  const different = [...outcomes].filter(([, { differences }]) => differences.length > 0);
  expect(different.filter(([id]) => !DIFFERENCES.has(id))).toEqual([]);
  expect(Object.fromEntries(different.map(([id, { status }]) => [id, status]))).toEqual(
    Object.fromEntries([...DIFFERENCES].map(([id, { status }]) => [id, status])),
  );
});

test('gives out credentials as the public registry does, where it was given some', async () => {
  const outcomes = await play(
    EXCHANGES.filter(({ id }) => /^misc-(s3|github)-credentials$/.test(id)),
    { credentials: CREDENTIALS },
  );
  expect([...outcomes.values()].map(({ differences }) => differences)).toEqual([[], []]);
});

test('tells no difference where the recording is not odd', () => {
  const tags = new Map(EXCHANGES.map(({ id, tags = [] }) => [id, tags]));
  const wrong = [...DIFFERENCES.keys()].filter(
    (id) => !tags.get(id)?.some((tag) => ODD.includes(tag)) && !UNTAGGED.includes(id),
  );
  expect(wrong).toEqual([]);
});
