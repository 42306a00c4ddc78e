import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Answer } from './loopback.ts';
import { tempFolder } from './temp-folder.ts';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Makes a certificate that vouches for itself, for `registry.test` and 127.0.0.1. */
export async function makeCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const cwd = await tempFolder();
  const names = 'subjectAltName=DNS:registry.test,IP:127.0.0.1';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
  const made = spawnSync('openssl', ['req', '-x509', ...kind, ...files, '-subj', '/CN=test', '-addext', names], {
    cwd,
  });
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`);
  return { cert: readFileSync(join(cwd, 'cert.pem'), 'utf8'), key: readFileSync(join(cwd, 'key.pem'), 'utf8') };
}

/** Serves answers over TLS on a loopback port until the test has ended, with a certificate that vouches for itself. */
export async function serveTls(answer: Answer): Promise<{ readonly url: string; readonly cert: string }> {
  const { cert, key } = await makeCertificate();
  let requests = 0;
  const server = createServer({ cert, key }, (request, response) => answer(response, ++requests, request));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cert };
}
