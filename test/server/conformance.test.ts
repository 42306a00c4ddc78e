import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { listen, openRegistry } from '../../src/server/index.ts';
import { DIFFERENCES, LATER } from './conformance/differences.ts';
import { recordedIdentity } from './conformance/identities.ts';
import { createReplayer, type Exchange } from './conformance/replay.ts';
import { temporaryFolder } from './rig.ts';

const exchanges = readFileSync(new URL('../fixtures/conformance.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Exchange);

/** Whoever is not tagged with one of these answers to the letter. */
const ODD = ['quirk', 'destructive', 'cache', 'slug', 's3', 'runtime-message', 'config'];

/** Differences of the contract that the recording has not tagged. */
const UNTAGGED = ['read-get-range', 'read-get-if-none-match'];

const isLater = (id: string) =>
  LATER.some((pattern) => (pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern));

test('answers as the public registry does, but for the differences that are told', async () => {
  const unexpected: unknown[] = [];
  const registry = await openRegistry({
    data: await temporaryFolder(),
    identity: recordedIdentity,
    onError: (error) => unexpected.push(error),
  });
  const listener = await listen(registry.fetch);
  const replay = createReplayer(listener.url);
  const different = new Map<string, string>();
  let same = 0;
  try {
    for (const exchange of exchanges) {
      if (isLater(exchange.id)) continue;
      const found = await replay(exchange).catch((error: unknown) => [String(error)]);
      if (found.length > 0) different.set(exchange.id, found.join('; '));
      else same++;
    }
  } finally {
    await listener.close();
    await registry.close();
  }
  const untold = [...different].filter(([id]) => !(id in DIFFERENCES));
  expect(untold).toEqual([]);
  expect(Object.keys(DIFFERENCES).filter((id) => !different.has(id))).toEqual([]);
  expect(unexpected).toEqual([]);
  expect(same + different.size).toBe(exchanges.filter(({ id }) => !isLater(id)).length);
});

test('tells no difference where the recording is not odd', () => {
  const tags = new Map(exchanges.map(({ id, tags = [] }) => [id, tags]));
  const wrong = Object.keys(DIFFERENCES).filter(
    (id) => !tags.get(id)?.some((tag) => ODD.includes(tag)) && !UNTAGGED.includes(id),
  );
  expect(wrong).toEqual([]);
  for (const pattern of LATER) {
    expect(exchanges.some(({ id }) => isLater(id) && id.startsWith(pattern.replace('*', '')))).toBe(true);
  }
});
