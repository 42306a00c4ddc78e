import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const FILES = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`d${n % 7}/f${n}`, `content ${n}`]));
const REF = { project: 'p', asset: 'a', version: 'v1' };

it('a removal that is killed anywhere leaves a cache that is right, and can be filled again', async () => {
  const rig = await createRig({ versions: { 'p/a/v1': FILES } });
  const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
  const seen = new Set<string>();
  for (let round = 0; round < 5; round++) {
    await rig.client.saveVersion(REF);
    const removal = startCli(['cache', 'rm', 'p/a/v1'], environment);
    // It is killed when so much has happened in the cache, however fast the machine is.
    const whole = (await rig.client.listCache([REF]))[0]?.files;
    for (let turn = 0; removal.child.exitCode === null && turn < 5_000; turn++) {
      const files = (await rig.client.listCache()).find(({ version }) => version === 'v1')?.files ?? 0;
      if (files !== whole) break;
      await setTimeout(1);
    }
    await setTimeout(round * 3);
    removal.child.kill('SIGKILL');
    seen.add(String((await removal.end()).code));
    const { problems } = await rig.client.verifyCache();
    expect(problems.filter(({ fault }) => fault !== 'stale-lock')).toEqual([]);
  }
  expect(seen).toContain('SIGKILL');
  await rig.client.cloneVersion(REF, join(rig.folder, 'clone'));
  expect(await readTree(join(rig.cacheDir, 'bucket/p/a/v1'))).toMatchObject(FILES);
  expect((await rig.client.verifyCache([], { deep: true })).problems).toEqual([]);
}, 60_000);

describe.runIf(withoutPrivileges !== undefined)('a file that may not be read', () => {
  it('is told as that, and may be read again after a repair', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { a: 'content of a' } } });
    await rig.client.saveVersion(REF);
    const file = join(rig.cacheDir, 'bucket/p/a/v1/a');
    await chmod(file, 0o000);
    const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
    const run = (...argv: string[]) =>
      startCli(['cache', 'verify', ...argv], environment, { prefix: withoutPrivileges ?? [] }).end();
    const found = await run();
    expect(found.code).toBe(12);
    expect(found.stdout).toContain(`unreadable  ${file} cannot be read\n`);
    expect(await run('--repair')).toMatchObject({ code: 0, stdout: expect.stringContaining('; repaired\n') });
    expect(await run('--deep')).toMatchObject({ code: 0 });
  });
});
