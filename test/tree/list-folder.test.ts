import { chmodSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listFolder } from '../../src/tree/list-folder.ts';
import type { ReplicaFile } from '../../src/tree/replica-entry.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('a listing has what the one before had, as far as that still holds', async () => {
  const root = await tempFolder();
  layOut(root, { 'd/same': '1', 'd/touched': '2', gone: '3', known: '4', mode: '5', unknown: '6', written: '7' });
  const digests = new Map<string, string>();
  const list = async (before: readonly ReplicaFile[]) => {
    const how = { stamps: true, digestOf: (stamp: string) => digests.get(stamp), before };
    return (await listFolder(root, how)).entries.filter((entry): entry is ReplicaFile => entry.type === 'file');
  };
  const first = await list([]);
  const stampAt = (path: string) => first.find((entry) => entry.path === path)?.stamp ?? '';
  for (const { stamp = '' } of first) digests.set(stamp, 'one');
  const before = await list(first);
  expect(before).toEqual(first.map((entry) => ({ ...entry, digest: 'one' })));
  digests.set(stampAt('known'), 'another');
  // Such as one that may have changed since.
  digests.delete(stampAt('unknown'));
  utimesSync(join(root, 'd/touched'), 1, 1);
  chmodSync(join(root, 'mode'), 0o600);
  writeFileSync(join(root, 'written'), 'more');
  writeFileSync(join(root, 'new'), 'new');
  const again = await list(before.filter(({ path }) => path !== 'gone'));
  expect(again).toEqual(await list([]));
  const digestsOf = Object.fromEntries(again.map(({ path, digest }) => [path, digest]));
  expect(digestsOf).toEqual({ 'd/same': 'one', gone: 'one', known: 'another' });
  expect(again.filter((entry) => before.includes(entry)).map(({ path }) => path)).toEqual(['d/same']);
});
