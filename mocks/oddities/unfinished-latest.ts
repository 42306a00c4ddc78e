import { listVersions } from '../../src/server/survey.ts';
import { failed, withDocument } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/**
 * The latest version, where it is looked for again, may be an unfinished one: the first, since no time is later than one
 * that is none. Where files are that no version has, it is not found at all.
 */
export const unfinishedLatest: Oddity =
  ({ storage, documents }) =>
  async (request, next) => {
    const ref = parametersFor(request, 'refreshLatest');
    if (ref === undefined) return next();
    const before = await documents.latest(ref);
    const answer = await next();
    if (!answer.ok) return answer;
    let latest: { version: string; finish: number } | undefined;
    for await (const { version } of listVersions({ storage, documents }, ref)) {
      const summary = (await documents.summary({ ...ref, version }))?.value;
      if (summary === undefined) {
        await documents.setLatest(ref, before);
        return failed(request, next);
      }
      const finish = Date.parse(summary.upload_finish ?? '');
      if (!summary.on_probation && (latest === undefined || finish > latest.finish)) latest = { version, finish };
    }
    const found = latest && { version: latest.version };
    await documents.setLatest(ref, found);
    return withDocument(answer, found ?? {});
  };
