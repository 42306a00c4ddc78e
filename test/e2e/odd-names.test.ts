import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createRig } from '../helpers/rig.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** "café" in Latin-1: no UTF-8. */
const NAME = Buffer.from([0x63, 0x61, 0x66, 0xe9]);

it.runIf(process.platform === 'linux')(
  'the command line takes names that are not UTF-8, and a current folder with such a name',
  async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { 'x.txt': 'x' } } });
    const odd = Buffer.concat([Buffer.from(`${rig.folder}/`), NAME]);
    await mkdir(odd);
    await writeFile(Buffer.concat([odd, Buffer.from('/mine.txt')]), 'mine');
    // A shell hands the bytes on as they are; Node itself could not.
    const shell = async (script: string) => {
      const env = {
        PATH: process.env.PATH,
        HOME: rig.folder,
        NODE: process.execPath,
        MAIN,
        GYPSUM_URL: rig.registry.url,
        GYPSUM_CACHE_DIR: rig.cacheDir,
        GYPSUM_TOKEN: rig.registry.token,
        GYPSUM_STATE_DIR: rig.stateDir,
      };
      const child = spawn('bash', ['-euc', script], { cwd: rig.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const [code] = await once(child, 'close');
      return { code, output };
    };
    expect(await shell(`"$NODE" "$MAIN" upload $'caf\\xe9' p/a/v2`)).toMatchObject({ code: 0 });
    expect(await shell(`cd $'caf\\xe9' && "$NODE" "$MAIN" upload . p/a/v3 --no-deduplicate`)).toMatchObject({
      code: 0,
    });
    expect(Object.keys(await rig.client.fetchManifest({ project: 'p', asset: 'a', version: 'v2' }))).toEqual([
      'mine.txt',
    ]);
    expect(Object.keys(await rig.client.fetchManifest({ project: 'p', asset: 'a', version: 'v3' }))).toEqual([
      'mine.txt',
    ]);
    expect(await shell(`cd $'caf\\xe9' && "$NODE" "$MAIN" clone p/a/v1 inner && cat inner/x.txt`)).toMatchObject({
      code: 0,
    });
    expect(await shell(`"$NODE" "$MAIN" clone p/a/v1 $'d\\xe9st' && cat $'d\\xe9st/x.txt'`)).toMatchObject({ code: 0 });
    const names = (await readdir(rig.folder, { encoding: 'buffer' })).map((name) => name.toString('latin1')).sort();
    expect(names).toEqual(['cache', 'caf\u00e9', 'd\u00e9st', 'state']);
  },
);
