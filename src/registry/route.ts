/** Gives the path of a route, of which each part is one segment. */
export function route(name: string, ...parts: readonly string[]): string {
  return `/${[name, ...parts.map(encodeURIComponent)].join('/')}`;
}
