import { parseJsonIfAny } from '../../src/model/json.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/** Some of what is wrong in a request's document is said with status 200: odd slashes in paths, uploaders that are no text. */
export const errorsWithStatus200: Oddity = () => async (request, next) => {
  const find = faultFinder(request);
  if (find === undefined) return next();
  const sent = request.clone();
  const answer = await next();
  if (answer.status !== 400) return answer;
  return find(parseJsonIfAny(await sent.text())) ? new Response(answer.body, { headers: answer.headers }) : answer;
};

type Finder = (document: unknown) => boolean;

function faultFinder(request: Request): Finder | undefined {
  if (parametersFor(request, 'start') !== undefined) {
    return (document) => valuesOf(document, 'files').some((file) => hasOddSlash(property(file, 'path')));
  }
  if (parametersFor(request, 'permissions') !== undefined) return hasOddUploader;
  if (parametersFor(request, 'create') !== undefined)
    return (document) => hasOddUploader(property(document, 'permissions'));
  return undefined;
}

const hasOddSlash = (path: unknown) => typeof path === 'string' && /^\/|\/$|\/\/|\\/.test(path);

const hasOddUploader: Finder = (permissions) =>
  valuesOf(permissions, 'uploaders').some((uploader) =>
    [property(uploader, 'asset'), property(uploader, 'version')].some(
      (value) => value !== undefined && typeof value !== 'string',
    ),
  );

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function valuesOf(value: unknown, name: string): readonly unknown[] {
  const values = property(value, name);
  return Array.isArray(values) ? values : [];
}
