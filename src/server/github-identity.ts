import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GypsumError, isGypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import type { Identity, Principal } from './identity.ts';

export interface GithubIdentityOptions {
  /** @default 'https://api.github.com' */
  url?: string;
  /** How long an answer counts: as long as that may somebody who has left an organisation go on. @default 5 minutes */
  remember?: number;
  /** How long GitHub may take for an answer. Units: milliseconds @default 10 seconds */
  patience?: number;
  now?: () => number;
}

/** How long an answer counts without organisations that GitHub may only have failed to tell. Units: milliseconds */
const BRIEF = 30_000;

/** How many tokens are remembered; who comes after that is asked about again. */
const MAX_REMEMBERED = 10_000;

/** Pages of organisations, 100 each. */
const MAX_PAGES = 10;

/** Units: bytes. A page of organisations is about 50 KB. */
const MAX_BODY = 1024 * 1024;

const wireUser = z.object({ login: z.string().min(1) });
const wireOrganizations = z.array(z.object({ login: z.string().min(1) }));
const wireMessage = z.object({ message: z.string() });

interface Remembered {
  readonly who: Promise<Principal>;
  /** Units: milliseconds since 1970 */
  until: number;
}

/**
 * Knows people by their GitHub tokens. Whatever goes wrong when GitHub is asked for the user is `unauthorized`; without
 * an answer about organisations there are none.
 *
 * Source: contract of the gypsum REST API; GitHub REST API, `GET /user` and `GET /user/orgs`
 */
export function githubIdentity({
  url = 'https://api.github.com',
  remember = 5 * 60_000,
  patience = 10_000,
  now = Date.now,
}: GithubIdentityOptions = {}): Identity {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  // By hash: what is remembered is of no use to whoever reads the memory of the process.
  const remembered = new Map<string, Remembered>();

  async function ask(address: URL, token: string): Promise<Response> {
    const headers = {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'user-agent': 'gypsum-client',
    };
    const answer = await fetch(address, { headers, redirect: 'error', signal: AbortSignal.timeout(patience) });
    if (answer.ok) return answer;
    const said = wireMessage.safeParse(await readDocument(answer).catch(() => undefined));
    throw new Error(said.success ? said.data.message : `it answered ${answer.status}`);
  }

  async function askOrganizations(token: string): Promise<string[]> {
    const names: string[] = [];
    let next: URL | undefined = new URL('user/orgs?per_page=100', base);
    for (let page = 0; next !== undefined && page < MAX_PAGES; page++) {
      const answer: Response = await ask(next, token);
      names.push(...wireOrganizations.parse(await readDocument(answer)).map(({ login }) => login));
      next = nextPage(answer, base);
    }
    return names;
  }

  /** Gives who it is, and until when that counts. */
  async function look(token: string): Promise<{ who: Principal; until: number }> {
    const answer = await ask(new URL('user', base), token);
    const { login: id } = wireUser.parse(await readDocument(answer));
    const organizations = await askOrganizations(token).catch(() => undefined);
    const end = now() + (organizations === undefined ? Math.min(remember, BRIEF) : remember);
    return { who: { id, organizations: organizations ?? [], admin: false }, until: Math.min(end, expiry(answer)) };
  }

  /** Asks once for all who wait for the answer; nothing is remembered of a question that failed. */
  function begin(key: string, token: string): Remembered {
    const entry: Remembered = {
      until: Number.POSITIVE_INFINITY,
      who: look(token).then(
        ({ who, until }) => {
          entry.until = until;
          return who;
        },
        (error: unknown) => {
          if (remembered.get(key) === entry) remembered.delete(key);
          throw unknownUser(error);
        },
      ),
    };
    remembered.delete(key);
    remembered.set(key, entry);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return entry;
  }

  return {
    async identify(token) {
      // What a registry made is a secret of that registry's, and nothing that GitHub could know.
      if (token.startsWith('gypsum_')) return undefined;
      const key = createHash('sha256').update(token).digest('base64');
      const known = remembered.get(key);
      return (known !== undefined && known.until > now() ? known : begin(key, token)).who;
    },
  };
}

function unknownUser(cause: unknown): GypsumError {
  const message =
    cause instanceof z.ZodError ? 'its answer is not of the form that it promises' : String(asText(cause));
  return new GypsumError('unauthorized', `Failed to query GitHub for user identity: ${showText(message)}.`, { cause });
}

function asText(cause: unknown): unknown {
  if (isGypsumError(cause) || !(cause instanceof Error)) return cause;
  // `fetch` says no more than that it failed, and has the reason beside it.
  return cause.cause instanceof Error ? cause.cause.message || cause.message : cause.message;
}

async function readDocument(answer: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY) throw new Error('its answer does not end');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** Where the next page is; a token is sent nowhere else than to GitHub. */
function nextPage(answer: Response, base: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(answer.headers.get('link') ?? '') ?? [];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const next = new URL(target, base);
  return next.origin === base.origin ? next : undefined;
}

/** Shape: 2030-01-01 00:00:00 UTC */
function expiry(answer: Response): number {
  const text = answer.headers.get('github-authentication-token-expiration');
  const time = text === null ? Number.NaN : Date.parse(text.replace(/^(\S+) (\S+) UTC$/, '$1T$2Z'));
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}
