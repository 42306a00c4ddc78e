import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CallFilter, delay, type Fault, status } from '../../mocks/index.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const FILES = Object.fromEntries(
  Array.from({ length: 40 }, (_, n) => [`d${n % 4}/f${n}`, `content ${n} `.repeat(n * 50)]),
);
const V1 = { project: 'p', asset: 'a', version: 'v1' };

const environment = ({ registry, cacheDir }: Rig) => ({
  GYPSUM_URL: registry.url,
  GYPSUM_CACHE_DIR: cacheDir,
  GYPSUM_TOKEN: registry.token,
});

/** Ends when the registry has seen so many requests that match. */
async function seen(rig: Rig, filter: Parameters<Rig['registry']['count']>[0], count = 1): Promise<void> {
  while (rig.registry.count(filter) < count) await setTimeout(5);
}

describe('Ctrl-C', () => {
  it('during an upload aborts the session and says so', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const folder = await rig.makeFolder('mine', FILES);
    rig.registry.inject(delay(300), { route: 'put' });
    const upload = startCli(['upload', folder, 'p/a/v1'], environment(rig));
    await seen(rig, { route: 'put' });
    upload.child.kill('SIGINT');
    const { code, stderr, stdout } = await upload.end();
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'The upload of p/a/v1 was aborted; nothing of it stays, and the project is unlocked.\nInterrupted by SIGINT.\n',
    );
    rig.registry.clearFaults();
    expect(await rig.client.uploadDirectory(V1, folder)).toMatchObject({ files: 40 });
  });

  it.each<[string, Fault, CallFilter, number]>([
    ['one by one', status(404), { key: /v1\/d/ }, 20],
    ['many at once', delay(200), { route: 'bulk' }, 1],
  ])('during a clone whose files come %s leaves no destination, and a second run finishes', async (...row) => {
    const [, bulk, filter, count] = row;
    const rig = await createRig({ versions: { 'p/a/v1': FILES } });
    rig.registry.inject(delay(200), { key: /v1\/d/ });
    rig.registry.inject(bulk, { route: 'bulk' });
    const clone = startCli(['clone', 'p/a/v1', 'clone'], environment(rig), { cwd: rig.folder });
    await seen(rig, filter, count);
    clone.child.kill('SIGTERM');
    expect((await clone.end()).code).toBe(143);
    await expect(readTree(join(rig.folder, 'clone'))).rejects.toThrow('ENOENT');
    rig.registry.clearFaults();
    const again = await startCli(['clone', 'p/a/v1', 'clone'], environment(rig), { cwd: rig.folder }).end();
    expect(again.code).toBe(0);
  });

  it.each<[string, NodeJS.Signals, number]>([
    ['save', 'SIGINT', 130],
    ['save', 'SIGTERM', 143],
    ['path', 'SIGTERM', 143],
    ['prepare', 'SIGINT', 130],
    ['prepare', 'SIGTERM', 143],
    ['clone', 'SIGINT', 130],
    ['upload', 'SIGTERM', 143],
  ])('during %s (%s) ends with its code, and a second run does it all', async (name, signal, exitCode) => {
    const rig = await createRig({ versions: { 'p/a/v1': FILES } });
    const folder = await rig.makeFolder('mine', { new: 'new' });
    await symlink(join(rig.cacheDir, 'bucket/p/a/v1'), join(folder, 'v1'));
    const argv =
      {
        save: ['save', 'p/a/v1'],
        path: ['path', 'p/a/v1:/d0/f0'],
        prepare: ['prepare', folder],
        clone: ['clone', 'p/a/v1', 'clone'],
        upload: ['upload', folder, 'p/a/v2'],
      }[name] ?? [];
    rig.registry.inject(delay(300), { route: 'file' });
    const interrupted = startCli(argv, environment(rig), { cwd: rig.folder });
    await seen(rig, { route: 'file' }, 2);
    interrupted.child.kill(signal);
    const { code, stdout, stderr } = await interrupted.end();
    expect({ code, stdout, stderr }).toEqual({ code: exitCode, stdout: '', stderr: `Interrupted by ${signal}.\n` });
    rig.registry.clearFaults();
    expect((await startCli(argv, environment(rig), { cwd: rig.folder }).end()).code).toBe(0);
  });

  it('twice ends at once', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const folder = await rig.makeFolder('mine', FILES);
    rig.registry.inject(delay(60_000), { route: 'put' });
    rig.registry.inject(delay(60_000), { route: 'abort' });
    const upload = startCli(['upload', folder, 'p/a/v1'], environment(rig));
    await seen(rig, { route: 'put' });
    upload.child.kill('SIGINT');
    await seen(rig, { route: 'abort' });
    upload.child.kill('SIGINT');
    const { code, stderr } = await upload.end();
    // Nothing is said of the abort: nobody has waited for it.
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  });

  it('does not wait for ever for a registry that does not answer to the abort', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const folder = await rig.makeFolder('mine', FILES);
    rig.registry.inject(delay(600_000), { route: 'put' });
    rig.registry.inject(delay(600_000), { route: 'abort' });
    const upload = startCli(['upload', folder, 'p/a/v1'], environment(rig));
    await seen(rig, { route: 'put' });
    upload.child.kill('SIGINT');
    const { code, stderr } = await upload.end();
    expect(code).toBe(130);
    expect(stderr).toMatch(/could not be aborted .* the project p may stay locked/);
  });
});

describe('a terminal that is closed', () => {
  it('during an upload aborts the session', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const folder = await rig.makeFolder('mine', FILES);
    rig.registry.inject(delay(300), { route: 'put' });
    const upload = startCli(['upload', folder, 'p/a/v1'], environment(rig));
    await seen(rig, { route: 'put' });
    upload.child.stdout?.destroy();
    upload.child.stderr?.destroy();
    upload.child.kill('SIGHUP');
    expect((await upload.end()).code).toBe(129);
    expect(rig.registry.count({ route: 'abort' })).toBe(1);
    rig.registry.clearFaults();
    expect(await rig.client.uploadDirectory(V1, folder)).toMatchObject({ files: 40 });
  });
});

describe('kill -9', () => {
  it('at any moment of a save leaves a valid cache, which a later run completes', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': FILES } });
    rig.registry.inject(delay(5));
    for (let round = 0; round < 8; round++) {
      const before = rig.registry.count();
      const save = startCli(['save', 'p/a/v1'], environment(rig));
      await Promise.race([seen(rig, {}, before + 1 + round * 4), save.end()]);
      save.child.kill('SIGKILL');
      await save.end();
      const bucket = join(rig.cacheDir, 'bucket/p/a/v1');
      const tree = await readTree(bucket).catch(() => ({}));
      for (const [path, content] of Object.entries(tree)) {
        if (!path.startsWith('..')) expect(content).toBe(FILES[path]);
      }
    }
    const { code } = await startCli(['save', 'p/a/v1'], environment(rig)).end();
    expect(code).toBe(0);
    expect(await readTree(join(rig.cacheDir, 'bucket/p/a/v1'))).toMatchObject(FILES);
    rig.registry.resetCalls();
    await rig.client.saveVersion(V1);
    expect(rig.registry.calls).toEqual([]);
  });
});

describe('a closed pipe', () => {
  it('for messages does not stop an upload', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const folder = await rig.makeFolder('mine', FILES);
    rig.registry.inject(status(503), { route: 'put', times: 5 });
    const upload = startCli(['upload', folder, 'p/a/v1'], environment(rig));
    upload.child.stderr?.destroy();
    expect((await upload.end()).code).toBe(0);
    expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 40 });
  });

  it('ends a listing quietly', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': FILES } });
    const files = startCli(['files', 'p/a/v1'], environment(rig));
    files.child.stdout?.destroy();
    const { code, stderr } = await files.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
