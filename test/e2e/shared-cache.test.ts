import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import { MAIN, startCli } from '../helpers/cli.ts';
import { entriesBelow } from '../helpers/entries-below.ts';
import { asMember, canBeOthers } from '../helpers/privileges.ts';
import { createRig } from '../helpers/rig.ts';

const GROUP = 54_320;
const ann = asMember(54_321, GROUP, '077');
const bob = asMember(54_322, GROUP, '022');
const stranger = asMember(54_323, 54_323, '022');

const BIG = randomBytes(200_000);
const seed = {
  versions: {
    'p/a/v1': { one: '1', 'd/e/two': '22', 'd/again': '22', empty: '', big: BIG },
    'p/a/v2': { one: { link: 'p/a/v1:/one' }, 'd/two': '22', three: '333' },
    'p/b/v1': { two: '22', four: '4444' },
  },
} as const;

const isPossible = canBeOthers(MAIN);
if (!isPossible) {
  process.stdout.write(
    'Caches of several users are not tried: it takes root, setpriv (util-linux) and a readable dist.\n',
  );
}

/** A rig whose cache is a folder that root has made for a group. */
async function setUp(mode = 0o2775) {
  const rig = await createRig(seed);
  chmodSync(rig.folder, 0o777);
  mkdirSync(rig.cacheDir);
  chownSync(rig.cacheDir, 0, GROUP);
  chmodSync(rig.cacheDir, mode);
  const start = (user: readonly string[], ...words: string[]) =>
    startCli(words, { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir }, { prefix: user });
  return {
    ...rig,
    start,
    async run(user: readonly string[], ...words: string[]) {
      const { code, stderr } = await start(user, ...words).end();
      expect([code, stderr]).toEqual([0, '']);
    },
    file: (path: string) => join(rig.cacheDir, 'bucket', path),
  };
}

/** Says which folders and files of a cache not all of the group could go on with. */
function notShared(cacheDir: string): string[] {
  const wrong: string[] = [];
  for (const entry of entriesBelow(cacheDir)) {
    const path = join(entry.parentPath, entry.name);
    const { mode, gid } = lstatSync(path);
    const allowed = entry.isDirectory() ? [0o2775] : [0o444, 0o664];
    if (gid !== GROUP || !allowed.includes(mode & 0o7777)) wrong.push(`${path} ${(mode & 0o7777).toString(8)} ${gid}`);
  }
  return wrong;
}

describe.runIf(isPossible)('a cache whose folder is made for a group', () => {
  it('is written to by all of it, whatever their umasks, and nothing is fetched twice', async () => {
    const { run, registry, cacheDir, file } = await setUp();
    await run(ann, 'save', 'p/a/v1');
    expect(notShared(cacheDir)).toEqual([]);
    registry.resetCalls();
    for (const ref of ['p/a/v1', 'p/a/v2', 'p/b/v1']) await run(bob, 'save', ref);
    expect(notShared(cacheDir)).toEqual([]);
    expect(registry.calls.map(({ key }) => key).sort()).toEqual([
      'p/a/v2/..manifest',
      'p/a/v2/..summary',
      'p/a/v2/three',
      'p/b/v1/..manifest',
      'p/b/v1/..summary',
      'p/b/v1/four',
    ]);
    const [anns, bobs] = [statSync(file('p/a/v1/d/e/two')), statSync(file('p/a/v2/d/two'))];
    // Nobody makes hard links to what is another user's, where the system forbids that.
    const isForbidden = readFileSync('/proc/sys/fs/protected_hardlinks', 'utf8').trim() === '1';
    expect(bobs.ino !== anns.ino).toBe(isForbidden);
    registry.resetCalls();
    for (const user of [ann, bob]) for (const ref of ['p/a/v1', 'p/a/v2', 'p/b/v1']) await run(user, 'save', ref);
    expect(registry.calls).toEqual([]);
  });

  it('is written to by all of it at once', async () => {
    const { start, cacheDir, file } = await setUp();
    for (let round = 0; round < 3; round++) {
      const saves = [ann, bob, ann, bob].map((user) => start(user, 'save', `p/a/v${1 + (round % 2)}`).end());
      for (const { code, stderr } of await Promise.all(saves)) {
        expect(stderr).toMatch(
          /^(Another process( \(\d+ of 5432\d on .+, since .+Z\))? is fetching p\/a\/v\d; waiting for it\.\n)?$/,
        );
        expect(code).toBe(0);
      }
      expect(notShared(cacheDir)).toEqual([]);
    }
    expect(readFileSync(file('p/a/v1/big')).equals(BIG)).toBe(true);
    expect(readFileSync(file('p/a/v2/d/two'), 'utf8')).toBe('22');
  });

  it('is tidied up by any of it', async () => {
    const { run, cacheDir, file } = await setUp();
    await run(ann, 'save', 'p/a/v1');
    await run(bob, 'cache', 'rm', 'p/a/v1');
    expect(readdirSync(join(cacheDir, 'bucket'))).toEqual([]);
    await run(bob, 'save', 'p/a/v1');
    await run(ann, 'save', 'p/a/v2');
    expect(notShared(cacheDir)).toEqual([]);
    expect(readFileSync(file('p/a/v1/big')).equals(BIG)).toBe(true);
  });

  it('has downloads that anybody of it goes on with', async () => {
    const { run, start, registry, cacheDir, file } = await setUp();
    const half: Fault = async (request, next) => {
      const answer = await next();
      const sent = Buffer.from(await answer.arrayBuffer()).subarray(0, 100_000);
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(sent);
          while (!request.signal.aborted) await setTimeout(5);
          controller.error(new TypeError('the body breaks off'));
        },
      });
      return new Response(body, { headers: answer.headers });
    };
    registry.inject(half, { key: 'p/a/v1/big', times: 1 });
    const save = start(ann, 'save', 'p/a/v1');
    const incoming = join(cacheDir, '.gypsum-client/1/incoming');
    const sizes = () => readdirSync(incoming).map((name) => lstatSync(join(incoming, name)).size);
    await expect.poll(() => save.child.exitCode === null && sizes().includes(100_000)).toBe(true);
    save.child.kill('SIGINT');
    expect((await save.end()).code).toBe(130);
    expect(readdirSync(incoming)).toEqual([expect.stringMatching(/^partial\./)]);
    const ranges: (string | null)[] = [];
    registry.inject(
      (request, next) => {
        ranges.push(request.headers.get('range'));
        return next();
      },
      { key: 'p/a/v1/big' },
    );
    await run(bob, 'save', 'p/a/v1');
    expect(ranges).toEqual(['bytes=100000-']);
    expect(readFileSync(file('p/a/v1/big')).equals(BIG)).toBe(true);
    expect(notShared(cacheDir)).toEqual([]);
  });

  it('is read by others, who get an error that says so when they would write', async () => {
    const { run, start } = await setUp();
    await run(ann, 'save', 'p/a/v1');
    await run(stranger, 'save', 'p/a/v1');
    const { code, stderr } = await start(stranger, 'save', 'p/a/v2').end();
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/ermission|EACCES/);
  });

  it('is made with --shared, and what was made otherwise is refused then', async () => {
    const { run, start, folder, cacheDir } = await setUp(0o2777 & ~0o2020);
    const other = join(folder, 'other');
    await run(ann, 'save', 'p/a/v1', '--cache', other, '--shared');
    expect(statSync(other).mode & 0o7777).toBe(0o2775);
    expect(notShared(other)).toEqual([]);
    await run(bob, 'save', 'p/a/v2', '--cache', other);
    expect(notShared(other)).toEqual([]);
    const priv = join(folder, 'private');
    await run(ann, 'save', 'p/a/v1', '--cache', priv);
    for (const cache of [priv, cacheDir]) {
      const { code, stderr } = await start(ann, 'save', 'p/a/v2', '--cache', cache, '--shared').end();
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/is not shared with its group[\s\S]*shared-cache\.md/);
    }
  });
});
