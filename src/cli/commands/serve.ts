import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { commandName, defaultDataDir } from '../../config.ts';
import { showText } from '../../model/text.ts';
import { listen, openRegistry } from '../../server/index.ts';
import type { Command } from '../command.ts';
import { errorLines } from '../report.ts';

interface Options {
  port: number;
  host: string;
  data?: string;
}

export const serve: Command<undefined, Options> = {
  usage: 'serve',
  summary: 'Run a registry on this machine until Ctrl-C',
  local: true,
  example: 'gypsum serve --port 8080 --data my-registry',
  flags: [
    { flags: '--port <number>', description: 'the port; 0 takes any that is free', parse: parsePort, preset: 0 },
    { flags: '--host <address>', description: 'the address to listen on', preset: '127.0.0.1' },
    { flags: '--data <folder>', description: 'the folder that keeps everything; made if it is not there' },
  ],
  async run({ options, signal, print, warn, quiet, json }) {
    const data = resolve(options.data ?? defaultDataDir());
    const onError = (error: unknown, request?: Request) => warn(`${nameOf(request)} failed: ${errorLines(error)}`);
    const registry = await openRegistry({ data, signal, onError });
    try {
      const listener = await listen(registry.fetch, { port: options.port, host: options.host });
      print(json ? JSON.stringify({ url: listener.url, data }) : listener.url);
      if (!quiet && !json) for (const line of welcome(listener.url, data, registry.adminToken)) print(line);
      if (!signal.aborted) await once(signal, 'abort');
      await listener.close();
    } finally {
      await registry.close();
    }
    return undefined;
  },
  human: () => '',
};

/** Of a request no more than its route: what follows may be signed. */
function nameOf(request: Request | undefined): string {
  if (request === undefined) return 'Clearing away what has had its time';
  return `${request.method} ${showText(new URL(request.url).pathname.split('/', 3).join('/'))}`;
}

function* welcome(url: string, data: string, adminToken: string | undefined): Generator<string> {
  const tokenFile = join(data, 'admin-token');
  yield `Serving ${data}; Ctrl-C stops.`;
  if (adminToken !== undefined) {
    yield '';
    yield `This is a new registry. Its administrator's token, kept in ${tokenFile}, is`;
    yield `  ${adminToken}`;
  }
  yield '';
  yield 'Next, in another terminal:';
  yield `  export GYPSUM_URL=${url} GYPSUM_TOKEN="$(cat ${quote(tokenFile)})"`;
  const gypsum = commandName();
  yield adminToken === undefined ? `  ${gypsum} projects` : `  ${gypsum} project create my-project`;
}

function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It is a number from 0 to 65535.');
}
