import { type HttpHandler, http } from 'msw';
import type { MockRegistry } from './mock-registry.ts';

/** Gives a mock registry as msw handlers, for requests to `baseUrl`. @default the mock's own url */
export function handlers(mock: Pick<MockRegistry, 'url' | 'fetch'>, baseUrl = mock.url): HttpHandler[] {
  const base = baseUrl.replace(/\/+$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return [http.all(new RegExp(`^${base}(/|$)`), ({ request }) => mock.fetch(request))];
}
