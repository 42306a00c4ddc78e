import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAIN, startCli } from '../helpers/cli.ts';
import { asMember, canBeOthers, canMount, withoutPrivileges } from '../helpers/privileges.ts';
import { look, makePair } from '../helpers/replica.ts';

const modeOf = (path: string) => lstatSync(path).mode & 0o777;

describe.skipIf(withoutPrivileges === undefined)('where modes forbid something', () => {
  const sync = (...argv: string[]) => startCli(['sync', ...argv], {}, { prefix: withoutPrivileges ?? [] }).end();

  it('what cannot be read is told, its replica stays, and the rest is done', async () => {
    const { src, dst } = await makePair(
      { a: 'x', secret: 'newer', 'd/b': 'y' },
      { secret: 'old', 'd/b': 'old', 'd/c': 'kept' },
    );
    chmodSync(join(src, 'secret'), 0);
    chmodSync(join(src, 'd'), 0);
    onTestFinished(() => chmodSync(join(src, 'd'), 0o700));
    const { code, stdout } = await sync(src, dst);
    expect(code).toBe(1);
    expect(stdout).toContain('failed  d  (EACCES');
    expect(stdout).toContain('failed  secret  (EACCES');
    const { failures } = JSON.parse((await sync(src, dst, '--json')).stdout);
    expect(failures).toEqual([
      { path: 'd', code: 'EACCES', message: expect.stringContaining('EACCES') },
      { path: 'secret', op: 'modify', code: 'EACCES', message: expect.stringContaining('EACCES') },
    ]);
    expect(readFileSync(join(dst, 'a'), 'utf8')).toBe('x');
    expect(readFileSync(join(dst, 'secret'), 'utf8')).toBe('old');
    chmodSync(join(dst, 'd'), 0o700);
    expect(readdirSync(join(dst, 'd'))).toEqual(['b', 'c']);
  });

  it('folders that nobody may write to are changed, and have their modes again', async () => {
    const { src, dst } = await makePair(
      { 'd/new': 'x', 'd/same': 's', 'to/moved': 'moving' },
      { 'd/same': 's', 'd/moved': 'moving', 'gone/e/f': 'g' },
    );
    for (const path of [join(src, 'd'), join(dst, 'd'), join(dst, 'gone/e'), join(dst, 'gone')]) chmodSync(path, 0o500);
    chmodSync(join(src, 'to'), 0o500);
    expect(await sync(src, dst)).toMatchObject({ code: 0, stderr: '' });
    expect(await look(dst)).toEqual(await look(src));
    expect([join(dst, 'd'), join(dst, 'to')].map(modeOf)).toEqual([0o500, 0o500]);
    expect((await sync(src, dst)).stdout).toMatch(/^0 changes/);
    renameSync(join(src, 'd'), join(src, 'e'));
    expect((await sync(src, dst)).stdout).toMatch(/^1 change: 1 moved/);
    expect(modeOf(join(dst, 'e'))).toBe(0o500);
    chmodSync(dst, 0o500);
    writeFileSync(join(src, 'top'), 't');
    expect((await sync(src, dst)).code).toBe(0);
    expect(modeOf(dst)).toBe(0o500);
    for (const path of [dst, join(dst, 'e'), join(dst, 'to'), join(src, 'e'), join(src, 'to')]) chmodSync(path, 0o700);
  });

  it('folders that nobody may write to have the modes that they are to have, and not those that they had', async () => {
    const { src, dst } = await makePair({ 'd/new': 'x', 'd/same': 's' }, { 'd/same': 's' });
    chmodSync(join(src, 'd'), 0o750);
    chmodSync(join(dst, 'd'), 0o500);
    expect(await sync(src, dst)).toMatchObject({ code: 0, stderr: '' });
    expect(modeOf(join(dst, 'd'))).toBe(0o750);
    expect(await look(dst)).toEqual(await look(src));
  });

  it('files of the replica that nobody may read are given their modes, or made anew', async () => {
    const { src, dst } = await makePair({ a: 'x', b: 'y' });
    await sync(src, dst);
    chmodSync(join(dst, 'a'), 0);
    chmodSync(join(dst, 'b'), 0);
    writeFileSync(join(src, 'b'), 'z');
    expect((await sync(src, dst)).stdout).toBe('2 changes: 1 given another mode, 1 modified, 0 unchanged\n');
    expect(await look(dst)).toEqual(await look(src));
  });
});

it('what belongs to somebody else is told where its time or mode cannot be given, and the rest is done', async ({
  skip,
}) => {
  if (!canBeOthers(MAIN)) return skip('this user cannot be another one');
  const { top, src, dst } = await makePair({ 'd/new': 'x' }, { 'd/old': 'y', keep: 'k' });
  writeFileSync(join(src, 'keep'), 'k');
  for (const path of [top, src, join(src, 'd'), dst, join(dst, 'd')]) chmodSync(path, 0o777);
  const state = { GYPSUM_STATE_DIR: join(top, 'state') };
  const { code, stdout } = await startCli(['sync', src, dst], state, { prefix: asMember(54_321, 54_321, '022') }).end();
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/failed {2}d {2}\(EPERM/) });
  expect(readdirSync(join(dst, 'd'))).toEqual(['new']);
});

describe.skipIf(!canMount())('where something is mounted', () => {
  it.each<[string, string]>([
    ['a folder of the source in the replica', 'mkdir "$DST/d"; mount --bind "$SRC/d" "$DST/d"'],
    ['the source as the replica', 'mount --bind "$SRC" "$DST"'],
    ['a folder around the replica', 'mkdir "$SRC/in"; mount --bind "$SRC" "$DST"; export DST="$DST/in"'],
  ])('nothing is written if it is %s', async (_, mount) => {
    const { src, dst } = await makePair({ 'd/b': 'y', keep: 'k' });
    const script = `export SRC='${src}' DST='${dst}'; ${mount}; "$@" "$SRC" "$DST" --force`;
    const { code, stderr } = await startCli(['sync'], {}, { inNamespace: script }).end();
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/one folder/) });
    expect(readdirSync(src).filter((name) => name !== 'in')).toEqual(['d', 'keep']);
    expect(readdirSync(join(src, 'd'))).toEqual(['b']);
  });

  it('a folder that cannot move is made anew', async () => {
    const { src, dst } = await makePair({ 'n/a': 'xx', 'n/b': 'yy' });
    const script = `mkdir '${dst}/o'; mount -t tmpfs -o size=1m tmpfs '${dst}/o'; cp -a '${src}'/n/* '${dst}/o'; "$@" --force`;
    const { code, stdout } = await startCli(['sync', src, dst], {}, { inNamespace: script }).end();
    // What is mounted there cannot go.
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/failed {2}o {2}\(EBUSY/) });
    expect(readdirSync(dst)).toEqual(['n', 'o']);
    expect(readdirSync(join(dst, 'n'))).toEqual(['a', 'b']);
  });

  it('a full disk ends it at once, with what was there before', async () => {
    const { src, dst } = await makePair({ a: 'x'.repeat(3_000_000), b: 'y', c: 'z' });
    const script = `mount -t tmpfs -o size=1m tmpfs '${dst}'; echo old > '${dst}/a'; "$@" || CODE=$?; ls -A '${dst}'; cat '${dst}/a'; exit $CODE`;
    const { code, stdout } = await startCli(['sync', src, dst], {}, { inNamespace: script }).end();
    expect({ code, stdout }).toEqual({ code: 17, stdout: 'a\nold\n' });
  });
});

it('what vanishes from the source meanwhile is told, and FIFOs are waited for by nobody', async () => {
  const { src, dst } = await makePair({ a: 'x' });
  execFileSync('mkfifo', [join(src, 'pipe')]);
  mkdirSync(join(dst, 'pipe'));
  const { code, stdout } = await startCli(['sync', src, dst, '--force']).end();
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'skipped  pipe  (it is a FIFO, a socket or a device)\n2 changes: 1 removed, 1 created, 0 unchanged\n',
  });
  rmSync(join(src, 'pipe'));
});
