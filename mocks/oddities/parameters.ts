import { findRoute, type Parameters, type RouteName } from '../../src/server/routes.ts';

/** Gives the parameters of a request, decoded, if it is for this route and can be decoded. */
export function parametersFor<Name extends RouteName>(request: Request, name: Name): Parameters<Name> | undefined {
  const found = findRoute(request);
  if (found?.name !== name) return undefined;
  try {
    const decoded = Object.entries(found.parameters).map(([key, value]) => [key, decodeURIComponent(value)]);
    return Object.fromEntries(decoded) as Parameters<Name>;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
