import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytes, delay, disconnected, status } from '../../mocks/index.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { type StartOptions, startCli } from '../helpers/cli.ts';
import { canMount, withoutPrivileges } from '../helpers/privileges.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', big: 'x'.repeat(3_000_000) };
const seed = { versions: { 'p/a/v1': FILES } };

function run(rig: Rig, argv: string[], options: StartOptions = {}, environment: NodeJS.ProcessEnv = {}) {
  const settings = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir, GYPSUM_TOKEN: rig.registry.token };
  return startCli(argv, { ...settings, ...environment }, { cwd: rig.folder, ...options }).end();
}

describe('a registry that', () => {
  it('is down is tried again, and then told', async () => {
    const rig = await createRig();
    const { code, stderr } = await run(rig, ['projects'], {}, { GYPSUM_URL: 'http://127.0.0.1:1' });
    expect(code).toBe(11);
    expect(stderr).toMatch(
      /^.*ECONNREFUSED.* Trying again \(attempt 2\)\.\ngypsum: .*ECONNREFUSED.*\nCheck that the registry at http:\/\/127\.0\.0\.1:1 is running/,
    );
  });

  it('breaks off all that is asked while an upload is resumed is told of once', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const names = ['f0', 'f1', 'f2'];
    const directory = await rig.makeFolder('mine', Object.fromEntries(names.map((name) => [name, name])));
    const { id = '' } = await rig.client.startUpload({ project: 'p', asset: 'a', version: 'v1' }, names, { directory });
    await createUploadStore(rig.stateDir).leave(id, id);
    rig.registry.inject(disconnected());
    const { code, stderr } = await run(rig, ['uploads', 'resume'], {}, { GYPSUM_STATE_DIR: rig.stateDir });
    expect(code).toBe(11);
    const lines = stderr.split('\n').filter((line) => !line.startsWith('Sent 0 of 3 files'));
    expect(lines).toEqual([
      expect.stringMatching(/^Sending "f." of p\/a\/v1 failed: .* Trying again \(attempt 2\)\.$/),
      expect.stringMatching(/^The upload of p\/a\/v1 is kept as far as it has come/),
      expect.stringMatching(/^gypsum: Sending "f." of p\/a\/v1 failed: /),
      expect.stringMatching(/^Check that the registry/),
      '',
    ]);
    expect(rig.registry.count()).toBeGreaterThan(5);
  });

  it('is too slow is given up', async () => {
    const { connect, registry } = await createRig(seed);
    registry.inject(delay(60_000), { route: 'list' });
    await expect(connect({ timeout: 200, retries: 1 }).listProjects()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Timeout'),
      hint: expect.stringContaining('is running'),
    });
    expect(registry.count({ route: 'list' })).toBe(2);
  });

  it.each<[string, string[], RegExp]>([
    ['HTML', ['projects'], /is not JSON\.\nCheck that the URL is the one of a gypsum registry/],
    ['redirects without an end', ['projects'], /sends requests elsewhere\. Give the registry's own URL/],
  ])('answers %s is told', async (kind, argv, message) => {
    const rig = await createRig();
    const server = createServer((_request, response) => {
      if (kind === 'HTML') response.setHeader('content-type', 'text/html').end('<!doctype html><p>Welcome');
      else response.writeHead(302, { location: '/list/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr, stdout } = await run(rig, argv, {}, { GYPSUM_URL: url });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('fails is tried again', async () => {
    const rig = await createRig(seed);
    for (const code of [500, 502, 503, 504, 429]) rig.registry.inject(status(code), { route: 'list', times: 1 });
    // The first met is the outermost; each is met once, and all of them on the way to the answer.
    const { code, stdout } = await run(rig, ['projects']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'p\n' });
  });

  it('never ends its answer is cut off', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(
      async () => {
        const chunk = new TextEncoder().encode(' '.repeat(65_536));
        const body = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
        return new Response(body, { headers: { 'content-type': 'application/json' } });
      },
      { key: 'p/a/v1/..summary' },
    );
    await expect(client.fetchSummary({ project: 'p', asset: 'a', version: 'v1' })).rejects.toMatchObject({
      code: 'invalid-response',
      message: expect.stringContaining('longer than 65536 bytes'),
    });
  });

  it('has a manifest of 100,000 files with long names is understood', async () => {
    const rig = await createRig(seed);
    const entry = { size: 12, md5sum: '0'.repeat(32) };
    const paths = Array.from({ length: 100_000 }, (_, n) => `${'long-name-'.repeat(20)}${n % 100}/${n}`);
    rig.registry.inject(bytes(JSON.stringify(Object.fromEntries(paths.map((path) => [path, entry])))), {
      key: 'p/a/v1/..manifest',
    });
    const { code, stdout } = await run(rig, ['files', 'p/a/v1']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(100_001);
  });
});

describe('a full disk', () => {
  const script = 'mount -t tmpfs -o size=2m tmpfs "$FULL"; exec "$@"';

  it.runIf(canMount())('is foreseen: nothing is fetched that does not fit', async () => {
    const rig = await createRig(seed);
    await mkdir(rig.cacheDir);
    const { code, stderr } = await run(rig, ['save', 'p/a/v1'], { inNamespace: script }, { FULL: rig.cacheDir });
    expect(code).toBe(17);
    expect(stderr).toMatch(
      /gypsum: There is no space left for p\/a\/v1: 3 MB are to be fetched, and the disk of \S+ has 2\.\d+ MB free\.\nFree some /,
    );
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/..summary', 'p/a/v1/..manifest']);
  });

  it.runIf(canMount())('is told with what to do, leaves nothing wrong, and a later run goes on', async () => {
    // Each takes a page, however small it is: that is not foreseen.
    const files = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`f${n}`, `content ${n}`]));
    const rig = await createRig({ versions: { 'p/a/many': files } });
    await mkdir(rig.cacheDir);
    const small = script.replace('2m', '400k');
    const { code, stderr } = await run(rig, ['save', 'p/a/many'], { inNamespace: small }, { FULL: rig.cacheDir });
    expect(code).toBe(17);
    expect(stderr).toMatch(/gypsum: There is no space left: ENOSPC.*\nFree some, or choose a cache on another disk/);
    // On a disk with room, the very same command does it.
    expect((await run(rig, ['save', 'p/a/many'])).code).toBe(0);
    expect(await readTree(join(rig.cacheDir, 'bucket/p/a/many'))).toMatchObject(files);
  });

  it.runIf(canMount())('under a clone leaves the destination as it was', async () => {
    const files = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`f${n}`, { link: 'p/a/v1:/a.txt' }]));
    const rig = await createRig({ versions: { ...seed.versions, 'p/a/many': files } });
    const destination = join(rig.folder, 'full');
    await mkdir(destination);
    // Links of this length take their inode and no more, so it is inodes that run out.
    const inodes =
      'mount -t tmpfs -o size=2m,nr_inodes=1000 tmpfs "$FULL"; "$@" || { code=$?; ls -A "$FULL" >&2; exit $code; }';
    const argv = ['clone', 'p/a/many', destination, '--no-download'];
    const { code, stderr } = await run(rig, argv, { inNamespace: inodes }, { FULL: destination });
    expect(code).toBe(17);
    expect(stderr).toMatch(/ENOSPC[^\n]*\n[^\n]*\n$/);
    expect(await readdir(join(rig.cacheDir, '.gypsum-client/1/clones'))).toEqual([]);
  });

  it.skipIf(canMount())('is not tried: no file system of one’s own can be mounted here', () => {});
});

describe.runIf(withoutPrivileges !== undefined)('no permission', () => {
  const prefix = withoutPrivileges ?? [];

  it.each<[string, string, string[]]>([
    ['the cache', 'cache', ['save', 'p/a/v1']],
    ['the destination', 'closed', ['clone', 'p/a/v1', 'closed/x', '--cache', 'open/cache']],
  ])('for %s is told with what to do', async (_name, folder, argv) => {
    const rig = await createRig(seed);
    await mkdir(join(rig.folder, 'open'));
    await mkdir(join(rig.folder, folder));
    await chmod(join(rig.folder, folder), 0o555);
    const { code, stderr, stdout } = await run(rig, argv, { prefix });
    expect({ code, stdout }).toEqual({ code: 18, stdout: '' });
    expect(stderr).toMatch(/gypsum: There is no permission: EACCES: .*\nChange the permissions/);
    expect(await readdir(join(rig.folder, folder))).toEqual([]);
  });

  it('for the home folder is told with what to do', async () => {
    const rig = await createRig(seed);
    const home = join(rig.folder, 'home');
    await mkdir(home);
    await chmod(home, 0o555);
    const environment = { HOME: home, GYPSUM_CACHE_DIR: '', XDG_CACHE_HOME: '' };
    const { code, stderr } = await run(rig, ['save', 'p/a/v1'], { prefix }, environment);
    expect(code).toBe(18);
    expect(stderr).toMatch(
      /There is no permission: EACCES: .*\/home\/.*\nChange the permissions, or choose another folder \(--cache/,
    );
  });
});

describe('a name', () => {
  it('that no file system takes is told with what to do', async () => {
    const rig = await createRig(seed);
    const { code, stderr } = await run(rig, ['clone', 'p/a/v1', 'x'.repeat(300)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/gypsum: A path, or a name in it, is longer .*: ENAMETOOLONG: .*xxx'\.\nGive shorter names/);
  });
});

describe('a clock that is a year off', () => {
  it('changes nothing', async () => {
    const rig = await createRig(seed);
    const off = fileURLToPath(new URL('../helpers/a-year-off.mjs', import.meta.url));
    const node = ['--import', off];
    expect((await run(rig, ['clone', 'p/a/v1', 'clone'], { node })).code).toBe(0);
    rig.registry.resetCalls();
    expect((await run(rig, ['save', 'p/a/v1'])).code).toBe(0);
    expect((await run(rig, ['save', 'p/a/v1'], { node })).code).toBe(0);
    expect(rig.registry.calls).toEqual([]);
    expect((await run(rig, ['upload', 'clone', 'p/a/v2'], { node })).code).toBe(0);
  });
});

describe('a locked project', () => {
  it('says since when and by whom, and can be waited for', async () => {
    const rig = await createRig(seed);
    const session = await rig.client.startUpload({ project: 'p', asset: 'other', version: 'v1' }, []);
    const folder = await rig.makeFolder('mine', { x: 'x' });
    const { code, stderr } = await run(rig, ['upload', folder, 'p/a/v2']);
    expect(code).toBe(9);
    expect(stderr).toMatch(
      /Project 'p' is locked by an upload of "admin" since \d{4}-\d\d-\d\dT[\d:.]+Z\.\nWait for the other upload/,
    );
    const waiting = startCli(['upload', folder, 'p/a/v2', '--wait'], {
      GYPSUM_URL: rig.registry.url,
      GYPSUM_CACHE_DIR: rig.cacheDir,
      GYPSUM_TOKEN: rig.registry.token,
    });
    const refused = rig.registry.count({ route: 'start' });
    while (rig.registry.count({ route: 'start' }) === refused) await new Promise((resolve) => setTimeout(resolve, 10));
    await rig.client.abortUpload(session);
    const end = await waiting.end();
    expect(end.code).toBe(0);
    expect(end.stderr).toMatch(
      /^Starting the upload of p\/a\/v2 failed: .* is locked by an upload of "admin" since .*\. Waiting for it to end\.\n$/,
    );
  });
});

describe('a ref with odd names', () => {
  it.each([['my project/an asset/1.0 beta'], ['p%2Fq/50%/v+1'], ['日本/données/v#1?x']])(
    '%s works as it is',
    async (ref) => {
      const rig = await createRig({ versions: { [ref]: { 'f.txt': 'f' } } });
      expect((await run(rig, ['clone', ref, 'clone'])).code).toBe(0);
      expect(await readFile(join(rig.folder, 'clone/f.txt'), 'utf8')).toBe('f');
      const [project = '', asset] = ref.split('/');
      expect((await run(rig, ['versions', `${project}/${asset}`])).stdout).toBe(`${ref.split('/')[2]}\n`);
    },
  );
});
