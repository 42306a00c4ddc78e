import type { ServerContext } from './context.ts';
import { json } from './http.ts';
import type { Handlers } from './routes.ts';

/** A route for whoever watches over the registry: it answers if the storage can be read. */
export function healthRoute({ storage }: Pick<ServerContext, 'storage'>): Pick<Handlers, 'health'> {
  return {
    async health() {
      for await (const _ of storage.list('')) break;
      return json({ status: 'ok' });
    },
  };
}
