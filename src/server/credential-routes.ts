import { GypsumError } from '../errors.ts';
import type { ServerContext } from './context.ts';
import type { Credentials } from './credentials.ts';
import { json } from './http.ts';
import type { Handlers } from './routes.ts';

/** Routes that give out what clients need elsewhere; what the registry was not given is not there. */
export function credentialRoutes({
  credentials,
}: ServerContext): Pick<Handlers, 's3Credentials' | 'githubCredentials'> {
  const give = (name: keyof Credentials): Response => {
    const found = credentials[name];
    if (found !== undefined) return json(found, { open: true });
    throw new GypsumError('not-found', `Credentials of the kind "${name}" do not exist at this registry.`);
  };
  return { s3Credentials: () => give('s3-api'), githubCredentials: () => give('github-app') };
}
