import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';

const seed = { versions: { 'p/a/v1': { 'a.txt': 'content of a' }, 'p/a/v2': { 'a.txt': 'CONTENT OF A' } } };

/** A clone and a folder of files, and what commands write of them, each in a file that has its name. */
async function createPlans() {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
  vi.stubEnv('GYPSUM_URL', rig.registry.url);
  vi.stubEnv('GYPSUM_CACHE_DIR', rig.cacheDir);
  onTestFinished(() => void vi.unstubAllEnvs());
  const mine = await rig.makeFolder('mine', { 'new.txt': 'new' });
  const gypsum = (...argv: string[]) => callCli(argv);
  const made = {
    upload: await gypsum('upload', mine, 'p/a/v3', '--dry-run', '--json'),
    prepare: await gypsum('prepare', mine, '--json'),
    stage: await gypsum('stage', clone, '--dry-run', '--json'),
    restore: await gypsum('restore', clone, '--dry-run', '--json'),
    checkout: await gypsum('checkout', 'p/a/v2', clone, '--dry-run', '--json'),
  };
  for (const [name, { stdout }] of Object.entries(made)) layOut(rig.folder, { [name]: stdout });
  return { ...rig, gypsum };
}

const WRITTEN = ['upload', 'prepare', 'stage', 'restore', 'checkout'];

/** What is given for each command's plan: what another command has written, or this text. */
const OTHERS = {
  upload: ['prepare', 'stage', '{}', 'null', '"text"', '7', '[{}]'],
  stage: ['upload', 'restore', 'checkout', '{}', '[]'],
  restore: ['stage', 'null'],
  checkout: ['restore', '[]'],
  link: ['upload', 'stage', '{}', '[]'],
} as const;

describe('a file with JSON that is no plan', () => {
  it.each(Object.entries(OTHERS))('of "gypsum %s" is refused with its name, and what to do', async (verb, others) => {
    const { gypsum, folder, registry } = await createPlans();
    registry.resetCalls();
    for (const other of others) {
      const isWritten = WRITTEN.includes(other);
      const file = join(folder, isWritten ? other : 'plan');
      if (!isWritten) layOut(folder, { plan: other });
      const before = readFileSync(file, 'utf8');
      const { code, stdout, stderr } = await gypsum(verb, '--plan', file);
      expect({ code, stdout }, other).toEqual({ code: 2, stdout: '' });
      expect(stderr.split('\n'), other).toEqual([
        expect.stringContaining(
          `gypsum: There is no plan in ${file}: it holds something else. This is not the plan of `,
        ),
        expect.stringMatching(new RegExp(`^Have one written: gypsum ${verb} .*--dry-run --json > plan\\.json$`)),
        '',
      ]);
      expect(readFileSync(file, 'utf8')).toBe(before);
    }
    expect(registry.calls).toEqual([]);
  });
});
