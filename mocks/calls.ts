import { rawTarget } from '../src/server/http.ts';
import { findRoute, type RouteName } from '../src/server/routes.ts';
import { slugKey } from './oddities/slugs.ts';

/** A request that a mock registry has seen. */
export interface Call {
  readonly method: string;
  /** Nothing where the registry has no such route. */
  readonly route: RouteName | undefined;
  /** The object that it is about, on the routes `file`, `presign` and `put`. */
  readonly key: string | undefined;
  /** Path and query as they were sent. */
  readonly path: string;
}

/** Which calls are meant: those that have all that is given. */
export interface CallFilter {
  readonly route?: RouteName;
  readonly method?: string;
  readonly key?: string | RegExp;
}

/** Says what a request asks for. */
export function describeCall(request: Request): Call {
  const found = findRoute(request);
  const { key, slug, ticket } = found?.parameters ?? {};
  return {
    method: request.method,
    route: found?.name,
    key: key === undefined ? slugKey(slug ?? ticket ?? '') : decode(key),
    path: rawTarget(request),
  };
}

/** Whether a call is one of those that are meant. */
export function matchesCall(call: Call, { route, method, key }: CallFilter): boolean {
  return (
    (route === undefined || call.route === route) &&
    (method === undefined || call.method === method) &&
    (key === undefined || (typeof key === 'string' ? call.key === key : call.key !== undefined && key.test(call.key)))
  );
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
