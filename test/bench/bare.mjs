// The yardsticks: what people would do by hand, and what the machine can do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export function call(program, words, options = {}) {
  const { status, error, stderr } = spawnSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}

export function bareLinks({ paths, ref, cacheDir, clone }) {
  const bucket = join(cacheDir, 'bucket', ref.project, ref.asset, ref.version);
  const made = new Set();
  for (const path of paths) {
    const target = join(clone, path);
    const parent = dirname(target);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    symlinkSync(join(bucket, path), target);
  }
}

export function readAll(root) {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) readAll(path);
    else if (entry.isSymbolicLink()) lstatSync(readlinkSync(path), { throwIfNoEntry: false });
  }
}

/** Looks at the cached files of a version. */
export function lookAtAll({ paths, ref, cacheDir }) {
  const bucket = join(cacheDir, 'bucket', ref.project, ref.asset, ref.version);
  for (const path of paths) lstatSync(join(bucket, path));
}

/** Says what curl has to fetch, and what md5sum has to find. */
export async function listForCurl({ folder, url, ref }) {
  const key = (path) => encodeURIComponent(`${ref.project}/${ref.asset}/${ref.version}/${path}`);
  const manifest = await (await fetch(`${url}/file/${key('..manifest')}`)).json();
  mkdirSync(join(folder, 'curl'), { recursive: true });
  const urls = Object.keys(manifest).map((path) => `url = "${url}/file/${key(path)}"\noutput = "${path}"\n`);
  writeFileSync(join(folder, 'curl.cfg'), urls.join(''));
  const digests = Object.entries(manifest).map(([path, { md5sum }]) => `${md5sum}  ${path}\n`);
  writeFileSync(join(folder, 'md5.txt'), digests.join(''));
}

export function curlAll({ folder }) {
  const words = [
    '--parallel',
    '--parallel-max',
    '16',
    '--create-dirs',
    '--fail',
    '--silent',
    '--config',
    '../curl.cfg',
  ];
  call('curl', words, { cwd: join(folder, 'curl') });
  call('md5sum', ['-c', '--quiet', '../md5.txt'], { cwd: join(folder, 'curl') });
}

export function parseTexts(paths) {
  for (const path of paths) JSON.parse(readFileSync(path, 'utf8'));
}

export function bareTar({ folder, clone, paths }) {
  const tar = openSync(join(folder, 'bare.tar'), 'wx');
  for (const path of paths) {
    const content = readFileSync(join(clone, path));
    writeSync(tar, Buffer.alloc(512, path));
    writeSync(tar, content);
    writeSync(tar, Buffer.alloc(-content.length & 511));
  }
  closeSync(tar);
}

export function bareCopies({ folder, clone, paths }) {
  for (const path of paths) {
    const target = join(folder, 'bare', path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(clone, path), target);
  }
}

export function linkAll(paths, source, destination) {
  for (const path of paths) {
    const [from, to] = [join(source, path), join(destination, path)];
    if (!readFileSync(from).equals(readFileSync(to))) throw new Error('they are equal');
    symlinkSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  }
}

export function digestAlone(path) {
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  const hash = createHash('md5');
  const file = openSync(path, 'r');
  for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk))
    hash.update(chunk.subarray(0, length));
  closeSync(file);
  return hash.digest('hex');
}
