import { text } from 'node:stream/consumers';
import { keys } from '../../src/model/keys.ts';
import { route } from '../../src/registry/route.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/** Projects are made under names that no other route takes: beginning with `..`, or with a backslash. */
export const anyProjectName: Oddity = ({ storage }) => {
  let made = 0;
  return async (request, next) => {
    const project = parametersFor(request, 'create')?.project;
    if (project === undefined || !(project.startsWith('..') || project.includes('\\'))) return next();
    // It is made under another name, with all that the registry sees to, and moved.
    const other = `no-project-${made++}`;
    const exists = (await storage.size(keys.permissions(project))) !== undefined;
    const { method, headers, signal } = request;
    const body = await request.arrayBuffer();
    const answer = await next(
      new Request(new URL(route('create', exists ? project : other), request.url), { method, headers, body, signal }),
    );
    if (!answer.ok) return answer;
    for (const key of [keys.quota, keys.usage, keys.permissions]) {
      const object = await storage.get(key(other));
      if (object !== undefined) await storage.put(key(project), await text(object.body));
      await storage.delete(key(other));
    }
    return answer;
  };
};
