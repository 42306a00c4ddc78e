// The embedded registry and nginx, each in a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Starts a registry with the project `bench`; its data folder may be one that has been used. */
export async function startRegistry(folder) {
  const data = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  const child = spawn(process.execPath, [MAIN, 'serve', '--quiet', '--data', data, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = (await new Promise((resolve) => child.stdout.setEncoding('utf8').once('data', resolve))).trim();
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const answer = await fetch(`${url}/create/bench`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ quota: { baseline: 1e15 } }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return { url, data, token, peak: () => peakOf([child.pid]), stop: () => end(child, 'SIGINT') };
}

/** Starts an nginx that serves a registry's objects itself, and takes files under `/put/`; undefined where there is none. */
export async function startNginx(folder, { data, url: behind }) {
  if (spawnSync('nginx', ['-v']).status !== 0) return undefined;
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
         location / { proxy_pass ${behind}; proxy_set_header Host $http_host; proxy_request_buffering off; }
         location /put/ { alias ${root}/put/; dav_methods PUT; create_full_put_path on; }
       }
     }`,
  );
  const child = spawn('nginx', ['-p', root, '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/file/x`).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${await readFile(`${root}/error.log`, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    root,
    async peak() {
      const { stdout } = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' });
      return peakOf([child.pid, ...stdout.trim().split('\n').map(Number)]);
    },
    stop: () => end(child, 'SIGTERM'),
  };
}

/** The most memory that processes had, where the system tells: in MiB, summed. */
export async function peakOf(pids) {
  let sum = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    sum += Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }
  return sum;
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
