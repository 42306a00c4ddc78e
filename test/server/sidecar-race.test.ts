import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskStorage } from '../../src/server/index.ts';
import { temporaryFolder } from './rig.ts';

it('whoever reads an object while it is replaced takes nothing from what is kept beside the next', async () => {
  const folder = await temporaryFolder();
  const storage = await diskStorage(folder);
  let isOver = false;
  const read = async () => {
    while (!isOver) await storage.head('p/..LOCK');
  };
  const readers = Array.from({ length: 8 }, read);
  for (let at = 0; at < 60; at++) {
    await storage.put('p/..LOCK', `lock ${at}`, { metadata: { session: String(at) }, ifAbsent: at % 2 === 0 });
    expect(await storage.head('p/..LOCK')).toMatchObject({ metadata: { session: String(at) } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await storage.head('p/..LOCK')).toMatchObject({ metadata: { session: String(at) } });
    if (at % 2 === 1) await storage.delete('p/..LOCK');
  }
  isOver = true;
  await Promise.all(readers);
});

it('what is kept beside an object that was changed by hand is found out and remembered', async () => {
  const folder = await temporaryFolder();
  const storage = await diskStorage(folder);
  await storage.put('x', 'content', { metadata: { session: '1' } });
  await writeFile(join(folder, 'objects/x'), 'changed');
  const first = await storage.head('x');
  expect(first?.metadata).toBeUndefined();
  expect(await storage.head('x')).toEqual(first);
});
