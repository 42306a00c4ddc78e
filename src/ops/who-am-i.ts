import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { NEEDS_TOKEN } from '../registry/failures.ts';
import { offlineError } from '../registry/offline.ts';

export interface User {
  readonly id: string;
  /** Whether the registry takes the user for an administrator; left out by registries that do not say. */
  readonly admin?: boolean;
}

const wireUser = z.object({ id: z.string().min(1), admin: z.boolean() });

/**
 * Tells who the token belongs to. Throws `unauthorized` without a token, or for one that nobody knows.
 *
 * The registry is asked if it says that it knows; else GitHub is, which is where such a registry asks itself.
 */
export async function whoAmI(ctx: Context, options: CallOptions = {}): Promise<User> {
  const { registry } = ctx;
  const { signal, onEvent } = options;
  if (!registry.hasToken) {
    throw new GypsumError('unauthorized', `Nobody is logged in at ${registry.url}: there is no token.`, {
      hint: NEEDS_TOKEN,
    });
  }
  if (registry.isOffline) throw offlineError(`Whose token it is, only ${registry.url} can say.`);
  const features = await registry.features({ signal, onEvent });
  if (features.has('whoami')) {
    const what = `Asking ${registry.origin} whose token it is`;
    return registry.ask({ what, method: 'GET', to: '/whoami', answer: wireUser }, { signal, onEvent });
  }
  try {
    return { id: await registry.githubUser({ signal, onEvent }) };
  } catch (error) {
    if (!isGypsumError(error, 'unauthorized')) throw error;
    throw new GypsumError('unauthorized', 'GitHub does not know the token.', {
      hint: `${registry.url} knows people by their GitHub tokens: give one that has not expired.`,
      cause: error,
    });
  }
}
