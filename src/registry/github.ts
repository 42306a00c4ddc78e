import { z } from 'zod';
import { type CallOptions, callOf } from '../events.ts';
import { readDocument } from './documents.ts';
import type { Http } from './http.ts';
import { parseRegistryUrl } from './registry-url.ts';

/** What GitHub's `GET /user` has that is of use here. */
const wireUser = z.object({ login: z.string().min(1) });

/** Asks the API of GitHub whose token it is. */
export async function askGithubUser(http: Http, apiUrl: string, token: string, options?: CallOptions): Promise<string> {
  const github = parseRegistryUrl(apiUrl, 'GitHub');
  const what = `Asking ${github.origin} whose token it is`;
  const exchange = {
    what,
    method: 'GET',
    url: new URL(`${github.href.replace(/\/+$/, '')}/user`),
    token,
    headers: { accept: 'application/vnd.github+json' },
  } as const;
  const { login } = await http.request({ ...exchange, ...callOf(options) }, (body) =>
    readDocument(body, wireUser, what),
  );
  return login;
}
