import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An account as GitHub tells of it. */
export interface Account {
  readonly login: string;
  /** A number is the status with which GitHub refuses to tell. */
  readonly organizations?: readonly string[] | number;
  /** When the token ends, as GitHub writes it. */
  readonly expires?: string;
}

/** The accounts of the recording, by token; of `tok-github500` GitHub cannot tell. */
const RECORDED: Readonly<Record<string, Account>> = {
  'tok-admin': { login: 'LTLA' },
  'tok-admin2': { login: 'jkanche' },
  'tok-owner': { login: 'ProjectOwner', organizations: ['STUFF'] },
  'tok-owner2': { login: 'SecondOwner' },
  'tok-orgowner': { login: 'OrgOwnerMember', organizations: ['owner-org'] },
  'tok-uploader': { login: 'untrusted-uploader' },
  'tok-uploader2': { login: 'untrusted-uploader2' },
  'tok-trusted': { login: 'trusted-uploader' },
  'tok-orguploader': { login: 'OrgUploaderMember', organizations: ['other-org', 'upload-org'] },
  'tok-expired': { login: 'expired-uploader' },
  'tok-asset': { login: 'asset-uploader' },
  'tok-version': { login: 'version-uploader' },
  'tok-double': { login: 'double-uploader' },
  'tok-nobody': { login: 'nobody' },
  'tok-bot': { login: 'ArtifactDB-bot' },
  'tok-noorgscope': { login: 'NoOrgScope', organizations: 403 },
  'tok-expiring': { login: 'ProjectOwner', expires: '2030-01-01 00:00:00 UTC' },
};

export interface GithubStandIn {
  readonly url: string;
  /** The paths that were asked for, with the tokens. */
  readonly calls: string[];
  readonly accounts: Record<string, Account>;
  /** Organisations of a page. */
  pageSize: number;
  /** What is answered instead, if anything is. */
  instead: { status: number; body: string; headers?: Record<string, string> } | 'silence' | undefined;
}

/** What of GitHub a registry asks, on a loopback port. */
export async function startGithub(accounts: Readonly<Record<string, Account>> = RECORDED): Promise<GithubStandIn> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://github.test');
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    github.calls.push(`${pathname} ${token}`);
    if (github.instead === 'silence') return;
    const answer = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    if (github.instead !== undefined) {
      answer(github.instead.status, github.instead.body, github.instead.headers);
      return;
    }
    const account = Object.hasOwn(github.accounts, token) ? github.accounts[token] : undefined;
    if (token === 'tok-github500') answer(500, { message: 'Server Error' });
    else if (account === undefined) answer(401, { message: 'Bad credentials' });
    else if (pathname === '/user') {
      const expiry = account.expires === undefined ? {} : { 'github-authentication-token-expiration': account.expires };
      answer(200, { login: account.login, id: 1, type: 'User' }, expiry);
    } else if (pathname === '/user/orgs') {
      const { organizations = [] } = account;
      if (typeof organizations === 'number') {
        answer(organizations, { message: 'You need at least read:org scope.' });
        return;
      }
      const page = Number(searchParams.get('page') ?? 1);
      const shown = organizations.slice((page - 1) * github.pageSize, page * github.pageSize);
      const next = `<${github.url}/user/orgs?per_page=100&page=${page + 1}>; rel="next"`;
      const isMore = page * github.pageSize < organizations.length;
      answer(
        200,
        shown.map((login) => ({ login, id: 2 })),
        isMore ? { link: next } : {},
      );
    } else answer(404, { message: 'Not Found' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const github: GithubStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    accounts: { ...accounts },
    pageSize: 100,
    instead: undefined,
  };
  return github;
}
