import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Running, startCli } from './cli.ts';
import type { Rig } from './rig.ts';

/** A run is killed before each so-manieth change of the file system; every one is worth the time now and then. */
const EVERY = Number(process.env.GYPSUM_KILL_EVERY ?? 13);

/** One that makes few changes is killed at more of them: so many times at least. */
const LEAST = 3;

const helper = fileURLToPath(new URL('./die-at-call.mjs', import.meta.url));

/** Runs the built command in a process that is killed before its n-th change of the file system; says whether it was. */
async function dies(
  { registry, cacheDir, stateDir, folder }: Rig,
  argv: readonly string[],
  at: number,
  stop?: (running: Running) => Promise<void>,
) {
  const settings = {
    GYPSUM_URL: registry.url,
    GYPSUM_TOKEN: registry.token,
    GYPSUM_CACHE_DIR: cacheDir,
    GYPSUM_STATE_DIR: stateDir,
    DIE_AT: `${at}`,
  };
  const running = startCli(argv, settings, { cwd: folder, node: ['--import', helper] });
  await stop?.(running);
  const { code, stderr } = await running.end();
  expect(code === 'SIGKILL' || code === 0, stderr).toBe(true);
  return code === 'SIGKILL';
}

/** Kills a command at each so-manieth change, each time from the start; `stop` ends one that would go on for ever. */
export async function killEverywhere(
  rig: Rig,
  argv: readonly string[],
  begin: () => Promise<void>,
  finish: (at: number) => Promise<void>,
  stop?: (running: Running) => Promise<void>,
) {
  let kills = 0;
  for (let every = EVERY; kills < LEAST; every = Math.floor(every / 2)) {
    expect(every, 'changes of the file system').toBeGreaterThan(0);
    kills = await killEach(every);
  }

  async function killEach(every: number): Promise<number> {
    for (let at = 0; ; at += every) {
      await begin();
      const isKilled = await dies(rig, argv, at, stop);
      await finish(at);
      if (!isKilled) return at / every;
    }
  }
}
