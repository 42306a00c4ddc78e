import { failed } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/** Removing an asset or a version of a project that does not exist is a failure of its own: it misses the usage. */
export const failsWithoutProject: Oddity = () => async (request, next) => {
  const ref = parametersFor(request, 'removeVersion') ?? parametersFor(request, 'removeAsset');
  const answer = await next();
  return ref !== undefined && answer.status === 404 ? failed(request, next) : answer;
};
