/** The proxies of whoever runs this process. */
export interface Proxies {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
}

/** This machine is never asked by way of another. */
const HERE = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Gives the proxies that the environment names.
 *
 * Source: the conventions of curl (lower case first, a scheme may be missing) and of Go (no proxy to this machine)
 */
export function proxiesFromEnvironment(environment: NodeJS.ProcessEnv): Proxies {
  const httpProxy = withScheme(environment.http_proxy || environment.HTTP_PROXY);
  const httpsProxy = withScheme(environment.https_proxy || environment.HTTPS_PROXY);
  if (httpProxy === undefined && httpsProxy === undefined) return {};
  const except = (environment.no_proxy || environment.NO_PROXY || '').trim();
  return {
    ...(httpProxy !== undefined && { httpProxy }),
    ...(httpsProxy !== undefined && { httpsProxy }),
    noProxy: except === '*' ? except : [...HERE, except].join(','),
  };
}

function withScheme(proxy: string | undefined): string | undefined {
  if (!proxy) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}
