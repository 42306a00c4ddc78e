import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { look, makePair } from '../helpers/replica.ts';

it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])(
  'a folder is replicated again and again until %s, which is no failure',
  async (signal) => {
    const { top, src, dst } = await makePair({ a: 'x', 'd/b': 'y' });
    const log = join(top, 'log');
    const running = startCli(['sync', src, dst, '--interval', '0.002', '--log', log]);
    expect(await running.line()).toBe('3 changes: 2 created, 1 made, 0 unchanged');
    expect(await look(dst)).toEqual(await look(src));

    renameSync(join(src, 'd'), join(src, 'e'));
    expect(await running.line()).toMatch(/^1 change: 1 moved, /);
    writeFileSync(join(src, 'a'), 'changed');
    expect(await running.line()).toMatch(/^1 change: 1 modified, /);
    rmSync(join(dst, 'e'), { recursive: true });
    expect(await running.line()).toMatch(/^2 changes: 1 made, 1 created, /);
    expect(await look(dst)).toEqual(await look(src));

    const lines = readFileSync(log, 'utf8');
    running.child.kill(signal);
    const { code, stderr } = await running.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Idle runs have written nothing.
    expect(readFileSync(log, 'utf8')).toBe(lines);
  },
);

it('a source that goes away for a while is waited for, and loses its replica nothing', async () => {
  const { src, dst } = await makePair({ a: 'x', b: 'y' });
  const running = startCli(['sync', src, dst, '--interval', '0.002', '--json']);
  expect(JSON.parse(await running.line()).operations).toHaveLength(2);
  renameSync(src, `${src}-away`);
  await expect.poll(() => running.stderr()).toContain('is not a folder');
  expect(existsSync(join(dst, 'a'))).toBe(true);
  renameSync(`${src}-away`, src);
  writeFileSync(join(src, 'c'), 'new');
  expect(JSON.parse(await running.line())).toMatchObject({ operations: [{ op: 'create', path: 'c' }], failures: [] });
  running.child.kill('SIGINT');
  expect((await running.end()).code).toBe(0);
});
