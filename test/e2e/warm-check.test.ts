import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';

const counting = ['--import', fileURLToPath(new URL('../helpers/count-calls.mjs', import.meta.url))];

const filesOf = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`d/f${n}`, `${n % 5}`]));

const [FEW, MANY] = [20, 220];

async function createCounter() {
  const rig = await createRig({ versions: { 'p/a/few': filesOf(FEW), 'p/a/many': filesOf(MANY) } });
  const count = async (...words: string[]) => {
    const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
    const { code, stdout, stderr } = await startCli(words, environment, { node: counting }).end();
    expect(code).toBe(0);
    return { calls: JSON.parse(stderr) as Record<string, number>, stdout };
  };
  /** Gives the calls that a command makes for more files. */
  const more = async (command: (version: string) => string[]) => {
    const [{ calls: before }, { calls: after }] = [await count(...command('few')), await count(...command('many'))];
    const grown = Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)] as const);
    return Object.fromEntries(grown.filter(([, calls]) => calls !== 0));
  };
  return { ...rig, count, more };
}

it('a warm check costs one lstat a file, and no other call', async () => {
  const { client, registry, count, more } = await createCounter();
  for (const version of ['few', 'many']) await client.saveVersion({ project: 'p', asset: 'a', version });
  registry.resetCalls();
  expect(await more((version) => ['save', `p/a/${version}`])).toEqual({ lstatSync: MANY - FEW });
  expect((await count('save', 'p/a/few')).calls.lstatSync).toBeGreaterThanOrEqual(FEW);
  expect(registry.calls).toEqual([]);
});

it.each([
  ['symlink', { readlinkSync: MANY - FEW, statSync: MANY - FEW }],
  ['copy', { lstatSync: 2 * (MANY - FEW) }],
] as const)(
  'the status of a clean clone of mode %s reads nothing of any file, and asks nobody',
  async (mode, calls) => {
    const { client, registry, folder, count, more } = await createCounter();
    const clone = (version: string) => join(folder, `clone-${version}`);
    for (const version of ['few', 'many']) {
      await client.cloneVersion({ project: 'p', asset: 'a', version }, clone(version), { mode });
    }
    registry.resetCalls();
    for (const flags of [[], ['--offline']]) {
      expect(await more((version) => ['status', clone(version), ...flags])).toEqual(calls);
    }
    expect((await count('status', clone('many'))).stdout).toContain(`clean, ${MANY} files`);
    expect(registry.calls).toEqual([]);
  },
);
