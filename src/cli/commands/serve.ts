import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandName, defaultDataDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import {
  accessEntry,
  accessText,
  createMetrics,
  factsOf,
  githubIdentity,
  listen,
  openRegistry,
} from '../../server/index.ts';
import type { Command } from '../command.ts';
import { parseDuration } from '../durations.ts';
import { parseCount } from '../parse-count.ts';
import { quote } from '../quote.ts';
import { errorLines } from '../report.ts';
import { isUnencrypted, reachableUrl } from '../serve-address.ts';
import { parseHttpUrl, parseNames, parsePort, readCredentials } from '../serve-options.ts';
import { count } from '../text.ts';

interface Options {
  port: number;
  host: string;
  data?: string;
  identity: 'tokens' | 'github';
  githubUrl?: string;
  admins?: readonly string[];
  private?: boolean;
  baseUrl?: string;
  trustProxy?: boolean;
  credentials?: string;
  sessionTtl?: number;
  maxUploads?: number;
  grace?: number;
  log: 'none' | 'text' | 'json';
  metrics?: boolean;
}

export const serve: Command<undefined, Options> = {
  usage: 'serve',
  summary: 'Run a registry on this machine until Ctrl-C',
  local: true,
  example: 'gypsum serve --port 8080 --data my-registry',
  flags: [
    { flags: '--port <number>', description: 'the port; 0 takes any that is free', parse: parsePort, preset: 0 },
    { flags: '--host <address>', description: 'the address to listen on', preset: '127.0.0.1' },
    {
      flags: '--data <folder>',
      description: `the folder that keeps everything, made if it is not there (default: ${defaultDataDir()})`,
    },
    {
      flags: '--identity <kind>',
      description: 'whose tokens it knows: its own, see "gypsum token", or those of GitHub',
      choices: ['tokens', 'github'],
      preset: 'tokens',
    },
    { flags: '--github-url <url>', description: 'where GitHub is asked (default: its API)', parse: parseHttpUrl },
    { flags: '--admins <names>', description: 'users who are administrators, with commas between', parse: parseNames },
    { flags: '--private', description: 'let nobody read without a token' },
    { flags: '--base-url <url>', description: 'where it is reached, if that is behind a proxy', parse: parseHttpUrl },
    { flags: '--trust-proxy', description: 'believe the X-Forwarded headers and X-Request-Id of a proxy' },
    { flags: '--credentials <file>', description: 'JSON of the public credentials that are given out' },
    {
      flags: '--session-ttl <time>',
      description: 'abort uploads of which nothing has come for so long, such as 12h (default: 7d)',
      parse: parseDuration,
    },
    { flags: '--max-uploads <number>', description: 'files that may arrive at once (default: 256)', parse: parseCount },
    {
      flags: '--grace <time>',
      description: 'how long requests may go on after it was told to stop (default: 5s)',
      parse: parseDuration,
    },
    {
      flags: '--log <form>',
      description: 'a line on standard error for each request',
      choices: ['none', 'text', 'json'],
      preset: 'none',
    },
    { flags: '--metrics', description: 'answer Prometheus at /metrics' },
  ],
  async run({ options, signal, print, warn, quiet, json }) {
    if (options.githubUrl !== undefined && options.identity !== 'github') throw needsGithub();
    const data = resolve(options.data ?? defaultDataDir());
    const { baseUrl, trustProxy = false, sessionTtl, maxUploads, grace = 5000, log } = options;
    const registry = await openRegistry({
      data,
      signal,
      trustProxy,
      isPrivate: options.private === true,
      ...(options.admins && { admins: options.admins }),
      ...(options.identity === 'github' && {
        identity: githubIdentity(options.githubUrl === undefined ? {} : { url: options.githubUrl }),
      }),
      ...(baseUrl !== undefined && { baseUrl }),
      ...(sessionTtl !== undefined && { sessionTtl }),
      ...(maxUploads !== undefined && { maxUploads }),
      ...(options.credentials !== undefined && { credentials: await readCredentials(options.credentials) }),
      onError: (error, request) => warn(`${nameOf(request)} failed: ${errorLines(error)}`),
      onSwept({ locks }) {
        for (const { project } of locks)
          warn(`Ended an upload to project "${showText(project)}" that nobody went on with.`);
      },
    });
    const metrics = options.metrics ? createMetrics() : undefined;
    const say = (line: string) => {
      if (!quiet) warn(line);
    };
    try {
      const listener = await listen(metrics?.wrap(registry.fetch) ?? registry.fetch, {
        port: options.port,
        host: options.host,
        trustProxy,
        grace,
        onExchange(exchange) {
          metrics?.onExchange(exchange);
          if (log === 'json') warn(JSON.stringify(accessEntry(exchange)));
          else if (log === 'text') warn(accessText(accessEntry(exchange)));
        },
      });
      print(json ? JSON.stringify({ url: listener.url, data }) : listener.url);
      if (!quiet && !json)
        for (const line of welcome(reachableUrl(listener, options), data, registry.adminToken, options.identity))
          print(line);
      if (options.private && isOpenToOthers(data)) {
        say(`Other users of this machine can read ${data}, where all files are: chmod o-rwx keeps it private.`);
      }
      if (isUnencrypted(options)) {
        say(
          'Tokens and files travel unencrypted: put a proxy with TLS before it, and name that with --base-url https://…',
        );
      }
      if (!signal.aborted) await once(signal, 'abort');
      const left = listener.inProgress();
      say(left === 0 ? 'Stopping.' : `Stopping: waiting up to ${grace / 1000} s for ${count(left, 'request')}.`);
      await listener.close();
    } finally {
      await registry.close();
    }
    return undefined;
  },
  human: () => '',
};

/** Of a folder whose owner asks for privacy; on Windows the mode says nothing of who may read. */
function isOpenToOthers(folder: string): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & 0o007) !== 0;
}

/** Of a request no more than its route: what follows may be signed. */
function nameOf(request: Request | undefined): string {
  if (request === undefined) return 'Clearing away what has had its time';
  const id = factsOf(request)?.id;
  const route = `${request.method} ${showText(new URL(request.url).pathname.split('/', 3).join('/'))}`;
  return id === undefined ? route : `${route} (request ${id})`;
}

function* welcome(
  url: string,
  data: string,
  adminToken: string | undefined,
  identity: Options['identity'],
): Generator<string> {
  const tokenFile = join(data, 'admin-token');
  yield `Serving ${data}; Ctrl-C stops.`;
  if (adminToken !== undefined) {
    yield '';
    yield `This is a new registry. Its administrator's token, kept in ${tokenFile}, is`;
    yield `  ${adminToken}`;
  }
  yield '';
  yield 'Next, in another terminal:';
  const gypsum = commandName();
  if (identity === 'tokens' && existsSync(tokenFile)) {
    yield `  export GYPSUM_URL=${url} GYPSUM_TOKEN="$(cat ${quote(tokenFile)})"`;
    yield adminToken === undefined ? `  ${gypsum} projects` : `  ${gypsum} project create my-project`;
  } else {
    yield `  export GYPSUM_URL=${url}`;
    yield `  ${gypsum} login`;
  }
}

/** Whoever gives GitHub's URL means to know people by it, and would let in others. */
function needsGithub(): GypsumError {
  return new GypsumError('invalid-argument', 'The option --github-url says where GitHub is, but nobody asks it.', {
    hint: 'Give --identity github too, or leave --github-url out.',
  });
}
