import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { delay } from '../../mocks/index.ts';
import { commands } from '../../src/cli/commands.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const seed = { versions: { 'my-project/my-asset/v1': { 'table.csv': 'id,value\n' } } };

/** A registry that has been served once. */
const SERVED =
  'gypsum serve --data my-registry --quiet & until [ -s my-registry/admin-token ]; do sleep 0.1; done; kill -INT $!; wait $! || true';

/** What has to be there before some of the examples can work. */
const PROBATION = 'mkdir new && echo new > new/n.txt && gypsum upload new my-project/my-asset/v2 --probation';

/** An upload that is killed while it sends. */
const INTERRUPTED = [
  'mkdir new && echo new > new/n.txt',
  'gypsum upload new my-project/my-asset/v2 &',
  `until gypsum uploads --json | grep -q '"isAnswered": true'; do sleep 0.1; done`,
  'kill -9 $!; wait $! || true',
].join('\n');

/** Two folders with files that are equal. */
const FOLDERS = 'mkdir originals copies && echo x | tee originals/x > copies/x';

const BEFORE: Readonly<Record<string, string>> = {
  add: 'echo notes > notes.txt',
  'version approve': PROBATION,
  'version reject': PROBATION,
  relink: 'gypsum clone my-project/my-asset/v1 my-clone',
  stage: 'gypsum clone my-project/my-asset/v1 my-clone',
  restore: 'gypsum clone my-project/my-asset/v1 my-clone && gypsum stage my-clone',
  checkout: 'gypsum clone my-project/my-asset/v1 my-clone && gypsum upload my-clone my-project/my-asset/v2',
  status: 'gypsum clone my-project/my-asset/v1 my-clone',
  fetch: 'gypsum clone my-project/my-asset/v1 my-clone --no-download',
  drop: 'gypsum clone my-project/my-asset/v1 my-clone',
  diff: 'gypsum clone my-project/my-asset/v1 my-clone',
  export: 'gypsum clone my-project/my-asset/v1 my-clone',
  why: 'gypsum clone my-project/my-asset/v1 my-clone',
  link: FOLDERS,
  sync: FOLDERS,
  replicate: FOLDERS,
  'compat synctool': `${FOLDERS} && mkdir replica`,
  'compat dirsync': `${FOLDERS} && mkdir replica`,
  'create-links': FOLDERS,
  'stage-linked-file': `${FOLDERS}\ngypsum link originals copies`,
  'token create': SERVED,
  'token list': SERVED,
  'token revoke': `${SERVED}\ngypsum token create alice --data my-registry`,
  'registry verify': SERVED,
  'registry backup': SERVED,
  'cache ls': 'gypsum save my-project/my-asset/v1',
  'cache rm': 'gypsum save my-project/my-asset/v1',
  'config get': 'gypsum config set registry http://127.0.0.1:8080',
  'config unset': 'gypsum config set registry http://127.0.0.1:8080',
  'uploads resume': INTERRUPTED,
  'uploads abort': INTERRUPTED,
  'schedule remove': 'gypsum schedule add tidy --every 1d -- cache prune',
  logout: 'gypsum login --with-token <<< "$GYPSUM_TOKEN"',
};

/** What ends a command that would go on. */
const UNTIL_STOPPED: Readonly<Record<string, string>> = {
  replicate: 'timeout --preserve-status -s INT 2',
  'compat dirsync': 'timeout --preserve-status -s INT 2',
};

describe('the example of', () => {
  // A server runs until it is stopped, and a login asks; both are below.
  const names = Object.keys(commands).filter((name) => name !== 'serve' && name !== 'login');

  it.each(names)('%s works as pasted', async (name) => {
    const command = await commands[name]?.load();
    const isNew = name === 'project create';
    const rig = await createRig(isNew ? {} : seed);
    if (['upload', 'prepare', 'put'].includes(name)) await rig.makeFolder('my-folder', { 'new.txt': 'new' });
    if (name.startsWith('uploads')) rig.registry.inject(delay(600_000), { route: 'put', times: 1 });
    const bin = join(rig.folder, 'bin');
    await mkdir(bin);
    await symlink(join(root, 'dist/src/cli/main.js'), join(bin, 'gypsum'));
    const settings = name.startsWith('config') ? {} : { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: rig.folder,
      GYPSUM_TOKEN: rig.registry.token,
      ...settings,
    };
    const script = [BEFORE[name] ?? '', `${UNTIL_STOPPED[name] ?? ''} ${command?.example ?? 'false'}`].join('\n');
    const { stderr } = await promisify(execFile)('bash', ['-euc', script], { cwd: rig.folder, env });
    expect(stderr).not.toContain('gypsum: ');
  });

  it('serve works, but for the port', async () => {
    const { example } = (await commands.serve?.load()) ?? {};
    expect(example).toBe('gypsum serve --port 8080 --data my-registry');
    const server = startCli(['serve', '--port', '0', '--data', 'my-registry'], {}, { cwd: await tempFolder() });
    expect(await server.line()).toMatch(/^http:/);
    server.child.kill('SIGINT');
    expect((await server.end()).code).toBe(0);
  });
});
