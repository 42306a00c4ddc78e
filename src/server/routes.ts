import { rawPath } from './http.ts';

/** The routes by name. A parameter is one segment of the path, in which a slash stands encoded. */
export const ROUTES = {
  documentation: { method: 'GET', path: '/' },
  health: { method: 'GET', path: '/healthz' },
  file: { method: 'GET', path: '/file/:key' },
  bulk: { method: 'POST', path: '/bulk/:project/:asset/:version' },
  list: { method: 'GET', path: '/list' },
  whoami: { method: 'GET', path: '/whoami' },
  create: { method: 'POST', path: '/create/:project' },
  permissions: { method: 'PUT', path: '/permissions/:project' },
  quota: { method: 'PUT', path: '/quota/:project' },
  lock: { method: 'GET', path: '/lock/:project' },
  release: { method: 'POST', path: '/release/:project' },
  unlock: { method: 'DELETE', path: '/unlock/:project' },
  start: { method: 'POST', path: '/upload/start/:project/:asset/:version' },
  presign: { method: 'POST', path: '/upload/presigned-file/:slug' },
  put: { method: 'PUT', path: '/upload/content/:ticket' },
  complete: { method: 'POST', path: '/upload/complete/:project/:asset/:version' },
  approve: { method: 'POST', path: '/probation/approve/:project/:asset/:version' },
  reject: { method: 'POST', path: '/probation/reject/:project/:asset/:version' },
  refreshLatest: { method: 'POST', path: '/refresh/latest/:project/:asset' },
  refreshUsage: { method: 'POST', path: '/refresh/usage/:project' },
  removeVersion: { method: 'DELETE', path: '/remove/:project/:asset/:version' },
  removeAsset: { method: 'DELETE', path: '/remove/:project/:asset' },
  removeProject: { method: 'DELETE', path: '/remove/:project' },
  s3Credentials: { method: 'GET', path: '/credentials/s3-api' },
  githubCredentials: { method: 'GET', path: '/credentials/github-app' },
  abort: { method: 'POST', path: '/upload/abort/:project/:asset/:version' },
} as const;

export type RouteName = keyof typeof ROUTES;

type ParameterNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterNames<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** The decoded parameters of a route. */
export type Parameters<Name extends RouteName> = Readonly<
  Record<ParameterNames<(typeof ROUTES)[Name]['path']>, string>
>;

/** One function a route. */
export type Handlers = {
  readonly [Name in RouteName]: (request: Request, parameters: Parameters<Name>) => Promise<Response> | Response;
};

const matchers = Object.entries(ROUTES).map(([name, { method, path }]) => ({
  name: name as RouteName,
  method,
  pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
}));

/** Gives the route that answers a request, with its parameters as they were sent; HEAD belongs to GET. */
export function findRoute(
  request: Request,
): { name: RouteName; parameters: Readonly<Record<string, string>> } | undefined {
  const path = rawPath(request);
  const asked = request.method === 'HEAD' ? 'GET' : request.method;
  for (const { name, method, pattern } of matchers) {
    const match = method === asked ? pattern.exec(path) : null;
    if (match !== null) return { name, parameters: match.groups ?? {} };
  }
  return undefined;
}
