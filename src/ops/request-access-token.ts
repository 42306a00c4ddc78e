import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { type CallOptions, callOf } from '../events.ts';
import { sleep } from '../give-way.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { showText } from '../model/text.ts';
import { readAll } from '../registry/answers.ts';
import { parseRegistryUrl, parseUrl } from '../registry/registry-url.ts';

/** What a user has to do: open the page, and type the code there. */
export interface DeviceCode {
  readonly userCode: string;
  readonly page: string;
  /** When the code is worth nothing any more. */
  readonly expires: Date;
}

export interface RequestTokenOptions extends CallOptions {
  /** Tells the user; then GitHub is asked again and again until the user has done it. */
  onCode: (code: DeviceCode) => void;
  /** Where people log in. @default 'https://github.com' */
  githubSite?: string | undefined;
}

/** Organisations can be owners and uploaders too. */
const SCOPE = 'read:org';

const wireApp = z.object({ id: z.string().min(1) });

const wireCode = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string().refine((text) => parseUrl(text) !== undefined, 'is not a URL'),
  expires_in: z.number(),
  interval: z.number().min(0).optional(),
});

const wireAnswer = z.union([
  z.object({ access_token: z.string().regex(/^[\x21-\x7e]+$/) }),
  z.object({ error: z.string(), error_description: z.string().optional(), interval: z.number().min(0).optional() }),
]);

/** Units: bytes */
const MAX_ANSWER = 64 * 1024;

/** What is waited between two questions where GitHub does not say it, and what more where it says "slow down". Units: seconds */
const INTERVAL = { first: 5, more: 5 };

/**
 * Has a user log in at GitHub, in a browser anywhere, as a user of the registry's application there, and gives the token.
 * Throws `not-found` if the registry has no such application, and `unauthorized` if the user did not want to, or not in time.
 *
 * Source: RFC 8628 (device authorization grant), and GitHub's documentation of it
 */
export async function requestAccessToken(ctx: Context, options: RequestTokenOptions): Promise<string> {
  const { signal, onCode } = options;
  signal?.throwIfAborted();
  const github = parseRegistryUrl(options.githubSite ?? 'https://github.com', 'GitHub');
  const what = `Logging in at ${github.origin}`;
  const ask = <T>(path: string, fields: Record<string, string>, answer: z.ZodType<T>): Promise<T> =>
    ctx.registry.http.request(
      {
        what,
        method: 'POST',
        url: new URL(github.href.replace(/\/+$/, '') + path),
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
        body: () => new URLSearchParams(fields).toString(),
        ...callOf(options),
      },
      async (body) => parseAnswer(await readAll(body, MAX_ANSWER, what), answer, what),
    );

  const app = { what: `Asking ${ctx.registry.origin} for its application`, path: '/credentials/github-app' };
  const { id } = await ctx.registry.look({ ...app, answer: wireApp }, callOf(options)).catch(explain);
  const code = await ask('/login/device/code', { client_id: id, scope: SCOPE }, wireCode);
  const expires = new Date(Date.now() + code.expires_in * 1000);
  onCode({ userCode: code.user_code, page: code.verification_uri, expires });

  const fields = {
    client_id: id,
    device_code: code.device_code,
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
  };
  let interval = code.interval ?? INTERVAL.first;
  while (Date.now() < expires.getTime()) {
    await sleep(interval * 1000, signal);
    const answer = await ask('/login/oauth/access_token', fields, wireAnswer);
    if ('access_token' in answer) return answer.access_token;
    if (answer.error === 'slow_down') interval = answer.interval ?? interval + INTERVAL.more;
    else if (answer.error !== 'authorization_pending') throw refusal(answer.error, answer.error_description);
  }
  throw refusal('expired_token');
}

function explain(error: unknown): never {
  if (!isGypsumError(error, 'not-found')) throw error;
  throw new GypsumError('not-found', 'This registry has no application at GitHub: people do not log in there.', {
    hint: 'Ask the people who run it for a token, then "gypsum login" without "--device". They make one with "gypsum token create".',
    cause: error,
  });
}

/** Nothing of an answer is quoted in an error: it may be a token. */
function parseAnswer<T>(content: Buffer, answer: z.ZodType<T>, what: string): T {
  const parsed = answer.safeParse(parseJsonIfAny(content.toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new GypsumError('invalid-response', `${what} failed: the answer is not what GitHub answers.`, {
    hint: 'Check the URL of GitHub, and what is between here and there.',
  });
}

function refusal(error: string, description = error): GypsumError {
  const details = { error };
  if (error === 'expired_token') {
    return new GypsumError('unauthorized', 'The code was not entered in time.', { hint: 'Log in again.', details });
  }
  if (error === 'access_denied') {
    return new GypsumError('unauthorized', 'The login was refused at GitHub.', { hint: 'Log in again.', details });
  }
  return new GypsumError('refused', `GitHub does not let people log in: ${showText(description)}.`, {
    hint: 'Give a token instead: "gypsum login --with-token". Tell the people who run the registry.',
    details,
  });
}
