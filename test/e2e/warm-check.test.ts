import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';

const counting = ['--import', fileURLToPath(new URL('../helpers/count-calls.mjs', import.meta.url))];

const filesOf = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`d/f${n}`, `${n % 5}`]));

it('a warm check costs one lstat a file, and no other call', async () => {
  const [few, many] = [20, 220];
  const rig = await createRig({ versions: { 'p/a/few': filesOf(few), 'p/a/many': filesOf(many) } });
  const count = async (version: string) => {
    const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
    const { code, stderr } = await startCli(['save', `p/a/${version}`], environment, { node: counting }).end();
    expect(code).toBe(0);
    return JSON.parse(stderr) as Record<string, number>;
  };
  for (const version of ['few', 'many']) await rig.client.saveVersion({ project: 'p', asset: 'a', version });
  rig.registry.resetCalls();
  const [before, after] = [await count('few'), await count('many')];
  const more = Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)]);
  expect(Object.fromEntries(more.filter(([, calls]) => calls !== 0))).toEqual({ lstatSync: many - few });
  expect(before.lstatSync).toBeGreaterThanOrEqual(few);
  expect(rig.registry.calls).toEqual([]);
});
