import { expect, it } from 'vitest';
import { keys } from '../../src/model/keys.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };

it.each([
  [keys.project('p'), 'p/'],
  [keys.asset(ref), 'p/a/'],
  [keys.version(ref), 'p/a/v/'],
  [keys.permissions('p'), 'p/..permissions'],
  [keys.quota('p'), 'p/..quota'],
  [keys.usage('p'), 'p/..usage'],
  [keys.lock('p'), 'p/..LOCK'],
  [keys.latest(ref), 'p/a/..latest'],
  [keys.summary(ref), 'p/a/v/..summary'],
  [keys.manifest(ref), 'p/a/v/..manifest'],
  [keys.links(ref, ''), 'p/a/v/..links'],
  [keys.links(ref, 'x/y'), 'p/a/v/x/y/..links'],
  [keys.file({ ...ref, path: 'x/y' }), 'p/a/v/x/y'],
])('the key %j is %j, as the contract has it', (key, expected) => {
  expect(key).toBe(expected);
});
