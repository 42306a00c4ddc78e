import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import type { Dispatcher } from 'undici';
import { GypsumError } from '../errors.ts';

/** How requests find their way. */
export interface NetworkOptions {
  /** The proxy for http URLs, such as `http://user:password@proxy:3128`; for https URLs too where `httpsProxy` is not given. */
  httpProxy?: string | undefined;
  /** The proxy for https URLs. */
  httpsProxy?: string | undefined;
  /** Hosts that are asked without a proxy, separated by commas: names, which stand for their subdomains too; `*` is all. */
  noProxy?: string | undefined;
  /** Certificates of authorities that are trusted besides Node's own, as PEM. */
  ca?: string | undefined;
}

/** Sends requests. */
export interface Sender {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

/**
 * Makes what sends requests, or throws `invalid-argument`. `timeout` is in milliseconds.
 *
 * The first request loads undici: that takes 80 ms of CPU, and what is in the cache needs none.
 */
export function createDispatcher(options: NetworkOptions & { timeout: number }): Sender {
  const open = prepare(options);
  let opened: Promise<Dispatcher> | undefined;
  let isClosed = false;
  return {
    async request(options) {
      opened ??= open();
      const dispatcher = await opened;
      if (isClosed) await dispatcher.close();
      return dispatcher.request(options);
    },
    async close() {
      isClosed = true;
      await (await opened)?.close();
    },
  };
}

function prepare({
  httpProxy,
  httpsProxy,
  noProxy = '',
  ca,
  timeout,
}: NetworkOptions & { timeout: number }): () => Promise<Dispatcher> {
  const connect = { timeout, ...(ca === undefined ? {} : { secureContext: trusting(ca) }) };
  const timeouts = { headersTimeout: timeout, bodyTimeout: timeout };
  // Where one of these is not given, undici would read the environment: an empty one is none.
  const proxies = {
    httpProxy: httpProxy === undefined ? '' : checkProxy('httpProxy', httpProxy),
    httpsProxy: httpsProxy === undefined ? '' : checkProxy('httpsProxy', httpsProxy),
    noProxy,
  };
  return async () => {
    const { Agent, EnvHttpProxyAgent, Pool } = await import('undici');
    if (httpProxy === undefined && httpsProxy === undefined) return new Agent({ ...timeouts, connect });
    return new EnvHttpProxyAgent({
      ...timeouts,
      connect,
      ...proxies,
      requestTls: connect,
      proxyTls: connect,
      clientFactory: (origin, options) => new Pool(origin, { ...options, ...timeouts }),
      // Most proxies make tunnels to ports of https alone.
      proxyTunnel: false,
    });
  };
}

/** What a server must be certified by: one of Node's own authorities, or one of these. */
function trusting(pem: string): tls.SecureContext {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (certificates.length === 0) throw new Error('there is none');
    for (const certificate of certificates) new X509Certificate(certificate);
    return tls.createSecureContext({ ca: [...nodesOwn(), ...certificates] });
  } catch (error) {
    throw new GypsumError('invalid-argument', 'The option "ca" holds no certificates that can be used.', {
      hint: 'Give the certificates of authorities as PEM, each from "-----BEGIN CERTIFICATE-----" to its end.',
      cause: error,
    });
  }
}

/** Node's authorities; those of NODE_EXTRA_CA_CERTS are among them where Node tells of them (22.15 and newer). */
function nodesOwn(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  return getCACertificates?.('default') ?? tls.rootCertificates;
}

function checkProxy(option: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return text;
  // What stands before an "@" may be a password.
  throw new GypsumError('invalid-argument', `The option "${option}" is not the URL of a proxy.`, {
    hint: 'Give an http or https URL, such as http://proxy.example.org:3128.',
    details: { option },
  });
}
