import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createToken, openRegistry, readTokens, writeTokens } from '../../src/server/index.ts';
import { callCli } from '../helpers/call-cli.ts';
import { createRig, temporaryFolder } from '../server/rig.ts';

const run = (...argv: string[]) => callCli(argv);

/** A registry of two versions, and a copy of it. */
async function backedUp() {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello' });
  await rig.publish('v2', { 'y.txt': 'world' });
  const copy = join(await temporaryFolder(), 'copy');
  const backup = (...flags: string[]) => run('registry', 'backup', copy, '--data', rig.data, ...flags);
  expect(await backup()).toMatchObject({ code: 0, stderr: '' });
  return { ...rig, copy, backup };
}

describe('gypsum registry backup', () => {
  it('--prune asks before it removes much, and takes --yes', async () => {
    const rig = await backedUp();
    await rig.call('DELETE', '/remove/p', { token: 'admin' });
    const refused = await rig.backup('--prune');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/does not have 10 of the 12 objects in .* any more[\s\S]*--yes/);
    expect(await readdir(join(rig.copy, 'objects/p/a'))).toContain('v1');
    expect((await rig.backup('--prune', '--yes')).stdout).toContain('Removed 10 objects');
    expect(await readdir(join(rig.copy, 'objects'))).toEqual(['..logs']);
  });

  it('copies what is sound, lists what is not, and says so by its exit code', async () => {
    const rig = await backedUp();
    await rig.publish('v3', { 'z.txt': 'later' });
    await rm(join(rig.data, 'objects/p/a/v3/z.txt'));
    await rig.publish('v4', { 'w.txt': 'more' });
    const { code, stdout, stderr } = await rig.backup();
    expect({ code, stdout: stdout.split('\n') }).toMatchObject({
      code: 12,
      stdout: ['missing  p/a/v3/z.txt is not there', expect.stringContaining('of 1 new version to'), ''],
    });
    expect(stderr).toMatch(/1 problem found in .*\nWhat is sound was copied/);
    expect(await readFile(join(rig.copy, 'objects/p/a/v4/w.txt'), 'utf8')).toBe('more');
    expect(JSON.parse((await rig.backup('--json')).stdout)).toMatchObject({ problems: [{ fault: 'missing' }] });
  });

  it('says what is in the way of its folder', async () => {
    const rig = await backedUp();
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    for (const folder of [file, join(file, 'sub'), join(rig.data, 'sub')]) {
      const { code, stderr } = await run('registry', 'backup', folder, '--data', rig.data);
      expect({ code, stderr }).toEqual({ code: 15, stderr: expect.stringMatching(/^gypsum: .*\nName .*\n$/) });
    }
  });
});

it.each([
  ['verify', []],
  ['backup', ['copy', '--prune', '--yes']],
])('gypsum registry %s refuses a registry whose objects are gone', async (verb, words) => {
  const { data, registry } = await createRig();
  await registry.close();
  await rm(join(data, 'objects'), { recursive: true });
  await mkdir(join(data, 'objects'));
  const { code, stdout, stderr } = await run('registry', verb, ...words, '--data', data);
  expect({ code, stdout }).toEqual({ code: 11, stdout: '' });
  expect(stderr).toContain('disk is mounted');
});

describe('gypsum token', () => {
  it('list shows when those end that end soon, and revoke --expired forgets those that have', async () => {
    const data = await temporaryFolder();
    await (await openRegistry({ data })).close();
    const file = join(data, 'tokens.json');
    const hour = 60 * 60 * 1000;
    const ends: Readonly<Record<string, number>> = {
      late: -hour,
      longOver: -1000 * hour,
      soon: hour,
      later: 1000 * hour,
    };
    const made = Object.entries(ends).map(([name, ms]) => createToken(name, { expiresAt: new Date(Date.now() + ms) }));
    await writeTokens(file, [...(await readTokens(file)), ...made.map(({ record }) => record)]);
    const { stdout } = await run('token', 'list', '--data', data);
    const at = '\\d{4}-\\d\\d-\\d\\d';
    const shown = [
      'admin .*',
      `late .* EXPIRED ${at} \\d\\d:\\d\\d UTC`,
      `longOver .* EXPIRED ${at}`,
      `soon .* until ${at} \\d\\d:\\d\\d UTC`,
      `later .* until ${at}`,
    ];
    expect(stdout).toMatch(new RegExp(`^${shown.map((line) => `\\w{8}  ${line}\n`).join('')}$`));
    for (const words of [[], ['late', '--expired']]) {
      expect(await run('token', 'revoke', ...words, '--data', data)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Give a name, an id, or --expired.'),
      });
    }
    const revoke = async () => (await run('token', 'revoke', '--expired', '--data', data)).stdout;
    expect(await revoke()).toMatch(/^Revoked 2 tokens: late \(\w{8}\), longOver \(\w{8}\)\n$/);
    expect(await revoke()).toBe('No token has expired.\n');
    expect((await readTokens(file)).map(({ name }) => name)).toEqual(['admin', 'soon', 'later']);
  });
});
