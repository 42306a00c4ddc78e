import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { disconnected, status } from '../../mocks/index.ts';
import { countAtOnce } from '../helpers/at-once.ts';
import { callCli } from '../helpers/call-cli.ts';
import { hasOpenssl, serveTls } from '../helpers/certificate.ts';
import { json } from '../helpers/loopback.ts';
import { startProxy } from '../helpers/proxy.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const run = (...argv: string[]) => callCli(argv);

let folder: string;

beforeEach(async () => {
  folder = await tempFolder();
  vi.stubEnv('GYPSUM_CONFIG_DIR', join(folder, 'config'));
  for (const name of ['GYPSUM_URL', 'GYPSUM_CACHE_DIR', 'GYPSUM_TOKEN', 'GYPSUM_OFFLINE', 'GYPSUM_SITE_CACHE'])
    vi.stubEnv(name, '');
  return () => vi.unstubAllEnvs();
});

it.runIf(hasOpenssl)('commands go by the proxy and trust the authorities that the environment names', async () => {
  const { url, cert } = await serveTls(json(['p/']));
  const proxy = await startProxy();
  const file = join(folder, 'ca.pem');
  writeFileSync(file, cert);
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  vi.stubEnv('NO_PROXY', '');
  vi.stubEnv('GYPSUM_CA_FILE', file);
  const argv = ['projects', '--registry', url.replace('127.0.0.1', 'registry.test'), '--cache', join(folder, 'cache')];
  expect(await run(...argv)).toEqual({ code: 0, stdout: 'p\n', stderr: '' });
  expect(proxy.asked).toHaveLength(1);
});

describe('gypsum config', () => {
  it('lists every setting and what it comes from', async () => {
    expect((await run('config', 'set', 'concurrency', '4')).code).toBe(0);
    vi.stubEnv('GYPSUM_URL', 'http://set');
    const { stdout } = await run('config', 'list', '--cache', '/flag');
    expect(stdout.split('\n')).toEqual([
      'registry     http://set  environment variable GYPSUM_URL',
      'cache        /flag       flag --cache',
      `concurrency  4           file ${join(folder, 'config/config.json')}`,
      'ca                       default',
      'siteCache                default',
      'offline      false       default',
      '',
    ]);
    expect(JSON.parse((await run('config', 'list', '--json', '--cache', '/flag')).stdout)).toEqual([
      { key: 'registry', value: 'http://set', from: 'environment', name: 'GYPSUM_URL' },
      { key: 'cache', value: '/flag', from: 'flag', name: '--cache' },
      { key: 'concurrency', value: 4, from: 'file', name: join(folder, 'config/config.json') },
      { key: 'ca', value: '', from: 'default' },
      { key: 'siteCache', value: '', from: 'default' },
      { key: 'offline', value: false, from: 'default' },
    ]);
    vi.stubEnv('GYPSUM_URL', '');
    expect((await run('config', 'list')).stdout).toMatch(/^registry +https:\/\/gypsum\.artifactdb\.com +default$/m);
  });

  it('prints one value alone', async () => {
    expect(await run('config', 'get', 'concurrency')).toEqual({ code: 0, stdout: '16\n', stderr: '' });
    expect((await run('config', 'get', 'registry', '--json')).stdout).toBe('"https://gypsum.artifactdb.com"\n');
  });

  it('sets how many files are fetched at once', async () => {
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${n}`, `${n}`.padEnd(64 * 1024)]));
    const { registry, cacheDir } = await createRig({ versions: { 'p/a/v1': files } });
    const { fault, most } = countAtOnce(3);
    registry.inject(fault, { route: 'file', key: /\/f\d$/ });
    await run('config', 'set', 'concurrency', '3');
    expect((await run('save', 'p/a/v1', '--registry', registry.url, '--cache', cacheDir)).code).toBe(0);
    expect(most()).toBe(3);
  });

  it('sets and removes; what is set is used', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { x: 'x' } } });
    const file = join(folder, 'config/config.json');
    expect((await run('config', 'set', 'registry', rig.registry.url)).stdout).toBe(
      `Set registry to ${rig.registry.url} in ${file}.\n`,
    );
    expect((await run('config', 'set', 'cache', rig.cacheDir)).code).toBe(0);
    expect((await run('projects')).stdout).toBe('p\n');
    expect((await run('config', 'unset', 'registry')).stdout).toBe(`Removed registry from ${file}.\n`);
    expect((await run('config', 'unset', 'registry')).stdout).toBe(`There was no registry in ${file}.\n`);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ cache: rig.cacheDir });
    expect(readdirSync(join(folder, 'config'))).toEqual(['config.json']);
  });

  it('settles what is on or off', async () => {
    expect((await run('config', 'set', 'offline', 'true')).stdout).toContain('Set offline to true in ');
    expect((await run('config', 'get', 'offline', '--json')).stdout).toBe('true\n');
    const { code, stderr } = await run('projects');
    expect({ code, stderr }).toEqual({ code: 11, stderr: expect.stringContaining('since it is to work offline') });
    expect((await run('config', 'set', 'offline', 'perhaps')).stderr).toContain('"offline" must be true or false');
  });

  it('keeps a relative cache folder as what it meant where it was typed', async () => {
    await run('config', 'set', 'cache', 'here');
    expect((await run('config', 'get', 'cache')).stdout).toBe(`${join(process.cwd(), 'here')}\n`);
  });

  it.each<[string, string[], RegExp]>([
    ['no value', ['set', 'registry'], /No value is given for "registry"\.\n.*"gypsum config unset registry"/],
    ['an empty value', ['set', 'cache', ''], /No value is given for "cache"\.\n.*unset cache/],
    [
      'an unknown key',
      ['set', 'regstry', 'x'],
      /no setting "regstry"\.\nThe settings are registry, cache, concurrency/,
    ],
    ['an unknown key to get', ['get', 'token'], /no setting "token"/],
    ['a value that cannot be', ['set', 'concurrency', 'many'], /must be a whole number from 1 to 256/],
    ['a value of blanks', ['set', 'concurrency', ' '], /must be a whole number from 1 to 256/],
    ['a registry that is none', ['set', 'registry', 'example.org'], /must be an http or https URL/],
  ])('refuses %s with exit code 2, and writes nothing', async (_name, argv, message) => {
    const { code, stdout, stderr } = await run('config', ...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says in every command which key of which file is wrong, and how to mend it', async () => {
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config/config.json'), '{"regstry": 1}');
    const { code, stderr } = await run('projects');
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(folder, 'config/config.json')} has a key "regstry"`);
    const [, command = ''] = /"gypsum (config unset regstry)"/.exec(stderr) ?? [];
    expect((await run(...command.split(' '))).code).toBe(0);
    expect((await run('config', 'list')).code).toBe(0);
  });
});

describe('gypsum path', () => {
  it('prints where a file is in the cache, and fetches that file alone', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { 'x/y': 'content', z: 'other' } } });
    const at = ['--registry', rig.registry.url, '--cache', rig.cacheDir];
    for (const ref of ['p/a/v1:/x/y', 'p/a:/x/y']) {
      const { stdout } = await run('path', ref, ...at);
      expect(stdout).toBe(`${join(rig.cacheDir, 'bucket/p/a/v1/x/y')}\n`);
      expect(readFileSync(stdout.trim(), 'utf8')).toBe('content');
    }
    expect(rig.registry.count({ key: 'p/a/v1/z' })).toBe(0);
    expect((await run('path', 'p/a/v1:/x/y', '--json', ...at)).stdout).toBe(
      `${JSON.stringify(join(rig.cacheDir, 'bucket/p/a/v1/x/y'))}\n`,
    );
  });

  it('prints where a version is, whole', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { 'x/y': 'content', z: 'other' } } });
    const { stdout } = await run('path', 'p/a', '--registry', rig.registry.url, '--cache', rig.cacheDir);
    expect(stdout).toBe(`${join(rig.cacheDir, 'bucket/p/a/v1')}\n`);
    expect(readFileSync(join(stdout.trim(), 'z'), 'utf8')).toBe('other');
  });

  it.each<[string, string, number, RegExp]>([
    ['an unknown file', 'p/a/v1:/x/z', 5, /There is no file p\/a\/v1:\/x\/z\.\n.*\nDid you mean p\/a\/v1:\/x\/y\?\n$/],
    ['a path that climbs', 'p/a/v1:/../x', 2, /component that begins with "\.\."/],
    ['a path without a version or an asset', 'p:/x', 2, /"p:\/x" is not a ref/],
  ])('answers %s with a message and an exit code', async (_name, ref, code, message) => {
    const rig = await createRig({ versions: { 'p/a/v1': { 'x/y': 'content' } } });
    const outcome = await run('path', ref, '--registry', rig.registry.url, '--cache', rig.cacheDir);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(message);
  });
});

describe('a name that does not exist', () => {
  const seed = {
    projects: { lonely: {} },
    versions: {
      'my-project/data/v1': { x: 'x' },
      'my-project/data/v2': { x: 'x' },
      'my-project/data/v3': { x: 'x' },
      'my-project/data/v4': { x: 'x' },
      'my-project/other/2024-01': { x: 'x' },
      'Shouting/a/v': { x: 'x' },
    },
  };

  it.each<[string, string[], RegExp]>([
    ['a project', ['files', 'my-projct/data'], /\nDid you mean my-project\?\n$/],
    ['a project in other letters', ['save', 'shouting/a/v'], /\nDid you mean Shouting\?\n$/],
    ['an asset', ['clone', 'my-project/dta', 'x'], /\nDid you mean my-project\/data\?\n$/],
    ['a version', ['manifest', 'my-project/other/2024-1'], /\nDid you mean my-project\/other\/2024-01\?\n$/],
    [
      'a version among many',
      ['save', 'my-project/data/v9'],
      /Did you mean my-project\/data\/v1, [^,]+v2 or [^,]+v3\?\n$/,
    ],
    ['a project to list', ['assets', 'lonly'], /no project lonly\.\n.*\nDid you mean lonely\?\n$/],
    [
      'an asset to list',
      ['versions', 'my-project/daat'],
      /no asset my-project\/daat\.\n.*\nDid you mean my-project\/data\?\n$/,
    ],
    ['a project of an asset to list', ['versions', 'my-projekt/data'], /\nDid you mean my-project\?\n$/],
  ])('is answered with those near it: %s', async (_name, argv, message) => {
    const rig = await createRig(seed);
    const { code, stdout, stderr } = await run(...argv, '--registry', rig.registry.url, '--cache', rig.cacheDir);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('is answered without any where none is near', async () => {
    const rig = await createRig(seed);
    for (const argv of [
      ['assets', 'zzzzzz'],
      ['save', 'my-project/data/nothing-like-it'],
      ['versions', 'lonely/a'],
    ]) {
      const { code, stderr } = await run(...argv, '--registry', rig.registry.url, '--cache', rig.cacheDir);
      expect(code).toBe(5);
      expect(stderr).not.toContain('Did you mean');
    }
  });

  it('is no error where it exists and is empty', async () => {
    const rig = await createRig(seed);
    const outcome = await run('assets', 'lonely', '--registry', rig.registry.url, '--cache', rig.cacheDir);
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['busy', status(503)],
    ['away', disconnected()],
  ])('keeps its message when the registry is %s by then', async (_name, fault) => {
    const rig = await createRig(seed);
    rig.registry.inject(fault, { route: 'list' });
    const { code, stderr } = await run(
      'save',
      'my-project/data/v9',
      '--registry',
      rig.registry.url,
      '--cache',
      rig.cacheDir,
    );
    expect(code).toBe(5);
    expect(stderr).toContain('has no version my-project/data/v9.');
    expect(stderr).not.toContain('Did you mean');
    // It is not tried again, nor waited for.
    expect(rig.registry.count({ route: 'list' })).toBe(1);
  });
});
