import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { MAIN } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const BYTES = randomBytes(3 * 1024 * 1024);

/** Runs a line of bash in which `gypsum` is the built command. */
function bash({ registry, cacheDir, folder }: Rig, line: string) {
  return promisify(execFile)(
    'bash',
    ['--norc', '-euo', 'pipefail', '-c', `gypsum() { "$NODE" "$MAIN" "$@"; }\n${line}`],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        NODE: process.execPath,
        MAIN,
        GYPSUM_URL: registry.url,
        GYPSUM_CACHE_DIR: cacheDir,
      },
    },
  );
}

it('a file comes out of a version byte for byte, also where its reader is slow', async () => {
  const rig = await createRig({ versions: { 'p/a/v': { 'sub/bytes': BYTES } } });
  writeFileSync(join(rig.folder, 'bytes'), BYTES);
  await bash(rig, 'gypsum cat p/a/v:/sub/bytes | (sleep 0.2; cat) | cmp - bytes');
});

it('a reader that has read enough ends it well', async () => {
  const rig = await createRig({ versions: { 'p/a/v': { 'sub/bytes': BYTES } } });
  const { stdout, stderr } = await bash(rig, 'gypsum cat -x p/a/v:/sub/bytes | head -n 1');
  expect([stdout, stderr]).toEqual([`Length: ${BYTES.length} (0x300000) bytes\n`, '']);
});
