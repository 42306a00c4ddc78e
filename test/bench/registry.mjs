// The embedded registry as a process of its own, beside nginx that serves and takes the same files; the load comes from here.
import { createHash } from 'node:crypto';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import { startNginx, startRegistry } from './servers.mjs';

const MiB = 2 ** 20;

/** Units: of `ours` and `yardstick`; the ratio is ours / yardstick, so that more is better where it is a rate. */
export const REGISTRY_CASES = {
  'serve-small': 'GET /file of files of 4 KiB, 16 at once, in requests a second; nginx, the same folder',
  'serve-large': 'GET /file of large files, 4 at once, in MiB a second; nginx, the same folder',
  'upload-small':
    'presign and PUT of files of 4 KiB, 16 at once, in files a second; nginx, PUT alone, which does not sync',
  'upload-large': 'PUT of large files, 4 at once, in MiB a second; nginx, which does not sync and computes no MD5',
  'serve-memory': '64 downloads of 1 GiB at once, in MiB a second; nginx',
  'upload-memory': '64 uploads of 1 GiB at once, in MiB a second; nginx',
};

/** Runs one case in turn for both, and gives its row. */
export async function runRegistryCase(name, folder, { small, rounds }) {
  const sizes = small
    ? { files: 20, large: 4 * MiB, huge: MiB }
    : { files: 5000, large: 512 * MiB, huge: name === 'upload-memory' ? await hugeSize(folder) : 1024 * MiB };
  // 64 GiB are enough of a load once, and for more there may be no room.
  const times = name.endsWith('memory') ? 1 : rounds;
  const ours = await openOurs(join(folder, name));
  const yardstick = await openNginx(join(folder, name), ours);
  const rates = { ours: [], yardstick: [] };
  try {
    const work = await prepare(name, ours, sizes);
    for (let round = 0; round < times; round++) {
      rates.ours.push(await work(ours, round));
      if (yardstick !== undefined) rates.yardstick.push(await work(yardstick, round));
    }
    const peakMiB = await ours.peak();
    const yardstickPeakMiB = await yardstick?.peak();
    const mine = median(rates.ours);
    const theirs = yardstick === undefined ? undefined : median(rates.yardstick);
    return {
      case: name,
      entries: name.endsWith('small') ? sizes.files : name.endsWith('large') ? 4 : 64,
      fileMiB: (name.endsWith('small') ? 4096 : name.endsWith('large') ? sizes.large : sizes.huge) / MiB,
      ours: mine,
      yardstick: theirs,
      ratio: theirs === undefined ? undefined : mine / theirs,
      unit: name.endsWith('small') ? 'files/s' : 'MiB/s',
      peakMiB,
      yardstickPeakMiB,
    };
  } finally {
    await yardstick?.stop();
    await ours.stop();
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** As much of 1 GiB as 64 files of it find room for, ours and the yardstick's. */
async function hugeSize(folder) {
  const { bavail, bsize } = await statfs(folder);
  return Math.min(1024 * MiB, Math.floor((bavail * bsize * 0.4) / 64 / MiB) * MiB);
}

/** Makes what is read, and gives the work of one round, which says at which rate it was done. */
async function prepare(name, ours, sizes) {
  const isUpload = name.startsWith('upload');
  const [count, size, atOnce] = name.endsWith('small')
    ? [sizes.files, 4096, 16]
    : name.endsWith('large')
      ? [4, sizes.large, 4]
      : [64, sizes.huge, 64];
  const content = Buffer.alloc(Math.min(size, MiB), 'gypsum ');
  const isSmall = name.endsWith('small');
  // The digests of all files are alike: what is measured is the registry's work, not that of the load.
  const md5 = digestOf(content, size);
  const paths = Array.from({ length: count }, (_, at) => `part-${at % 10}/file-${at}.bin`);
  const rateOf = (seconds) => (isSmall ? count / seconds : (count * size) / MiB / seconds);
  const body = () => (size === content.length ? content : Readable.from(repeat(content, size)));

  if (!isUpload) {
    // One content stands for all that are read, so that 64 GiB need no 64 GiB of disk.
    const distinct = isSmall ? paths : paths.slice(0, name.endsWith('large') ? 4 : 1);
    await ours.publish('v1', distinct, { size, md5, body });
    return async (server) => {
      const began = performance.now();
      await inParallel(paths, atOnce, async (_path, at) => {
        const key = encodeURIComponent(`bench/a/v1/${distinct[at % distinct.length]}`);
        const answer = await server.pool.request({ method: 'GET', path: `/file/${key}` });
        let bytes = 0;
        for await (const chunk of answer.body) bytes += chunk.length;
        if (answer.statusCode !== 200 || bytes !== size) throw new Error(`${answer.statusCode}, ${bytes} bytes`);
      });
      return rateOf((performance.now() - began) / 1000);
    };
  }
  return async (server, round) => {
    const session = await server.begin(`v${round}`, paths, { size, md5 });
    const began = performance.now();
    await inParallel(paths, atOnce, (path) => server.put(session, path, { size, body }));
    const rate = rateOf((performance.now() - began) / 1000);
    await server.end(session);
    return rate;
  };
}

async function openOurs(folder) {
  const registry = await startRegistry(folder);
  const pool = openPool(registry.url);
  const send = async (method, path, token, document) => {
    const answer = await pool.request({
      method,
      path: path.startsWith('http') ? new URL(path).pathname : path,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: document === undefined ? null : JSON.stringify(document),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${path.slice(0, 60)}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const ours = {
    data: registry.data,
    url: registry.url,
    pool,
    async begin(version, paths, { size, md5 }) {
      const files = paths.map((path) => ({ type: 'simple', path, size, md5sum: md5.toString('hex') }));
      const started = await send('POST', `/upload/start/bench/a/${version}`, registry.token, { files });
      return { ...started, urls: new Map(started.file_urls.map(({ path, url }) => [path, url])) };
    },
    async put({ session_token, urls }, path, { size, body }) {
      const { url, md5sum_base64 } = await send('POST', urls.get(path), session_token);
      const answer = await pool.request({
        method: 'PUT',
        path: new URL(url).pathname,
        headers: { 'content-md5': md5sum_base64, 'content-length': String(size) },
        body: body(),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(text);
    },
    end: ({ complete_url, session_token }) => send('POST', complete_url, session_token),
    async publish(version, paths, what) {
      const session = await ours.begin(version, paths, what);
      await inParallel(paths, 16, (path) => ours.put(session, path, what));
      await ours.end(session);
    },
    peak: registry.peak,
    async stop() {
      await pool.destroy();
      await registry.stop();
    },
  };
  return ours;
}

async function openNginx(folder, registry) {
  const nginx = await startNginx(folder, registry);
  if (nginx === undefined) {
    process.stderr.write('nginx is not installed: there is no yardstick for the registry.\n');
    return undefined;
  }
  const pool = openPool(nginx.url);
  return {
    pool,
    begin: async (version) => version,
    async put(version, path, { size, body }) {
      const headers = { 'content-length': String(size) };
      const answer = await pool.request({ method: 'PUT', path: `/put/${version}/${path}`, headers, body: body() });
      await answer.body.dump();
      if (answer.statusCode !== 201) throw new Error(`nginx: ${answer.statusCode}`);
    },
    end: async (version) => rm(join(nginx.root, 'put', version), { recursive: true, force: true }),
    peak: nginx.peak,
    async stop() {
      await pool.destroy();
      await nginx.stop();
    },
  };
}

function openPool(url) {
  return new Pool(url, { connections: 64, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
}

async function inParallel(items, atOnce, work) {
  let at = 0;
  const lane = async () => {
    while (at < items.length) {
      const mine = at++;
      await work(items[mine], mine);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function* repeat(content, size) {
  for (let left = size; left > 0; left -= content.length)
    yield left < content.length ? content.subarray(0, left) : content;
}

function digestOf(content, size) {
  const md5 = createHash('md5');
  for (const chunk of repeat(content, size)) md5.update(chunk);
  return md5.digest();
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
