import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { look, makePair } from '../helpers/replica.ts';

it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])(
  'a folder stays a replica until %s, which is no failure, and again after a restart',
  async (signal) => {
    const { top, src, dst } = await makePair({ a: 'x', 'd/b': 'y' });
    const log = join(top, 'log');
    const state = { GYPSUM_STATE_DIR: join(top, 'state') };
    const argv = ['replicate', src, dst, '--every', '20ms', '--log', log];
    const first = startCli(argv, state);
    expect(await first.line()).toBe('3 changes: 2 created, 1 made, 0 unchanged');
    renameSync(join(src, 'd'), join(src, 'e'));
    expect(await first.line()).toMatch(/^1 change: 1 moved, /);
    writeFileSync(join(dst, 'a'), 'tampered');
    expect(await first.line()).toMatch(/^1 change: 1 modified, /);
    mkdirSync(join(dst, 'more'));
    expect(await first.line()).toMatch(/^1 change: 1 removed, /);
    expect(await look(dst)).toEqual(await look(src));
    first.child.kill(signal);
    const { code, stderr } = await first.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    writeFileSync(join(src, 'c'), 'new');
    writeFileSync(join(dst, 'a'), 'tampered');
    const second = startCli(argv, state);
    expect(await second.line()).toMatch(/^2 changes: 1 modified, 1 created, /);
    second.child.kill(signal);
    expect((await second.end()).code).toBe(0);
    expect(await look(dst)).toEqual(await look(src));

    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/^\[INFO\|[^\]]+\]: (\S+) \S+ -> /, '$1 '))).toEqual([
      'create a',
      'mkdir d',
      'create d/b',
      'move e',
      'move e/b',
      'restore a',
      'prune more',
      'restore a',
      'create c',
    ]);
  },
);

it.skipIf(process.platform !== 'linux')(
  'what the system does not tell of is found by looking, and that is said once',
  async () => {
    const { src, dst } = await makePair({ 'a/1': 'x', 'b/1': 'y', 'c/1': 'z', 'd/1': 'd' });
    const limited = 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$@"';
    const running = startCli(['replicate', src, dst, '--every', '20ms'], {}, { inNamespace: limited });
    expect(await running.line()).toMatch(/^8 changes: /);
    await expect.poll(() => running.stderr()).toContain('The system does not tell of changes: all is read each time.');
    for (const folder of ['a', 'b', 'c', 'd']) {
      writeFileSync(join(src, folder, '1'), 'changed');
      expect(await running.line()).toMatch(/^1 change: 1 (modified|copied), /);
    }
    running.child.kill('SIGINT');
    const { code, stderr } = await running.end();
    expect(code).toBe(0);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  },
);
