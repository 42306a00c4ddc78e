// The embedded registry as a process of its own, beside nginx that serves and takes the same files; the load comes from here.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

const MiB = 2 ** 20;
const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

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
    ? { files: 50, large: 4 * MiB, huge: MiB }
    : { files: 5000, large: 512 * MiB, huge: name === 'upload-memory' ? await hugeSize(folder) : 1024 * MiB };
  // 64 GiB are enough of a load once, and for more there may be no room.
  const times = name.endsWith('memory') ? 1 : rounds;
  const ours = await startOurs(join(folder, name));
  const yardstick = await startNginx(join(folder, name), ours.data);
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

async function startOurs(folder) {
  const data = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  const child = spawn(process.execPath, [MAIN, 'serve', '--quiet', '--data', data, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await onceData(child.stdout);
  const url = line.trim();
  const admin = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const pool = new Pool(url, { connections: 64, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
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
  await send('POST', '/create/bench', admin, { quota: { baseline: 1e15 } });
  const ours = {
    data,
    pool,
    async begin(version, paths, { size, md5 }) {
      const files = paths.map((path) => ({ type: 'simple', path, size, md5sum: md5.toString('hex') }));
      const started = await send('POST', `/upload/start/bench/a/${version}`, admin, { files });
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
    peak: () => peakOf([child.pid]),
    async stop() {
      await pool.destroy();
      child.kill('SIGINT');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
  return ours;
}

async function startNginx(folder, data) {
  if (spawnSync('nginx', ['-v']).status !== 0) {
    process.stderr.write('nginx is not installed: there is no yardstick for the registry.\n');
    return undefined;
  }
  const port = await freePort();
  const root = join(folder, 'nginx');
  await mkdir(root, { recursive: true });
  const config = join(root, 'nginx.conf');
  await writeFile(
    config,
    `worker_processes 2; pid ${root}/pid; error_log ${root}/error.log; daemon off;
     user root;
     events { worker_connections 1024; }
     http {
       access_log off; sendfile on; client_max_body_size 0; keepalive_requests 1000000;
       client_body_temp_path ${root}/body; proxy_temp_path ${root}/p; fastcgi_temp_path ${root}/f;
       uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
       server {
         listen 127.0.0.1:${port};
         location /file/ { alias ${data}/objects/; }
         location /put/ { alias ${root}/put/; dav_methods PUT; create_full_put_path on; }
       }
     }`,
  );
  const child = spawn('nginx', ['-p', root, '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: 64,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  for (;;) {
    const answer = await pool.request({ method: 'GET', path: '/' }).catch(() => undefined);
    if (answer !== undefined) {
      await answer.body.dump();
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    pool,
    begin: async (version) => version,
    async put(version, path, { size, body }) {
      const headers = { 'content-length': String(size) };
      const answer = await pool.request({ method: 'PUT', path: `/put/${version}/${path}`, headers, body: body() });
      await answer.body.dump();
      if (answer.statusCode !== 201) throw new Error(`nginx: ${answer.statusCode}`);
    },
    end: async (version) => rm(join(root, 'put', version), { recursive: true, force: true }),
    async peak() {
      const { stdout } = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' });
      return peakOf([child.pid, ...stdout.trim().split('\n').map(Number)]);
    },
    async stop() {
      await pool.destroy();
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
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

/** The most memory that processes had, where the system tells: in MiB, summed. */
async function peakOf(pids) {
  let sum = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    sum += Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }
  return sum;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function onceData(stream) {
  return new Promise((resolve) => stream.setEncoding('utf8').once('data', (text) => resolve([text])));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
