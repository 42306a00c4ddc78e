import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replicateText } from '../../src/cli/sync-text.ts';
import { callCli } from '../helpers/call-cli.ts';
import { makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const run = (...argv: string[]) => callCli(argv);

describe('gypsum replicate', () => {
  it.each<[string, number, (paths: { top: string; src: string; dst: string }) => string[]]>([
    ['no destination', 2, ({ src }) => [src]],
    ['a source that is not there', 2, ({ top, dst }) => [join(top, 'none'), dst]],
    ['one folder', 2, ({ src }) => [src, src]],
    ['a destination in the source', 2, ({ src }) => [src, join(src, 'd')]],
    ['no interval', 2, ({ src, dst }) => [src, dst, '--every', '0ms']],
    ['an interval without a unit', 2, ({ src, dst }) => [src, dst, '--every', '500']],
    ['an interval that is none', 2, ({ src, dst }) => [src, dst, '--every', 'often']],
    ['a log in the source', 2, ({ src, dst }) => [src, dst, '--log', join(src, 'log')]],
    ['a log in the destination', 2, ({ src, dst }) => [src, dst, '--log', join(dst, 'log')]],
    ['a destination that is not empty, if it is to be', 15, ({ src, dst }) => [src, dst, '--require-empty']],
    ['no folder for the destination', 15, ({ top, src }) => [src, join(top, 'no/where')]],
  ])('refuses %s before anything is written', async (_, code, argv) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' }, { a: 'x' });
    const before = snapshot(pair.top);
    const result = await run('replicate', ...argv(pair));
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).not.toBe('');
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('says what is in order again', () => {
    const result = {
      ...{ source: '/s', destination: '/d', dryRun: false, operations: [], failures: [], skipped: [] },
      ...{ unchanged: 3, stopped: false, recovered: [{ path: 'a\n', message: '' }], isAfterError: true },
    };
    expect(replicateText(result)).toBe(
      'What had ended it is in order again.\nin order again  a\\x0a\n0 changes: 3 unchanged',
    );
  });
});
