import { hostname } from 'node:os';
import type { Listener } from '../server/index.ts';

/** Where a registry listens, and where it says that it is reached. */
export interface Address {
  readonly host: string;
  readonly baseUrl?: string | undefined;
  readonly trustProxy?: boolean | undefined;
}

/** Gives the URL for people to type: what listens on all addresses is reached by the name of the machine. */
export function reachableUrl({ url, port }: Pick<Listener, 'url' | 'port'>, { host, baseUrl }: Address): string {
  if (baseUrl !== undefined) return baseUrl;
  return /^(?:0\.0\.0\.0|::|0)$/.test(host) ? `http://${hostname()}:${port}` : url;
}

/** Whether others read the tokens that are sent: it listens to other machines, and nothing that has TLS stands before it. */
export function isUnencrypted({ host, baseUrl, trustProxy = false }: Address): boolean {
  const isHere = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/i.test(host);
  return !isHere && !trustProxy && baseUrl?.startsWith('https:') !== true;
}
