import { keys } from '../../src/model/keys.ts';
import { withText } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/** Dates of documents are written in other ways, of the same moment: other fractions, offsets in place of `Z`. */
export const oddDates: Oddity = () => async (request, next) => {
  const key = parametersFor(request, 'file')?.key ?? '';
  if (!DATED.some((name) => key.endsWith(name))) return next();
  const whole = new Request(request.url, { headers: request.headers, signal: request.signal });
  const answer = await next(request.method === 'HEAD' ? whole : request);
  if (answer.status !== 200) return answer;
  const changed = withText(answer, rewrite(await answer.text()));
  return request.method === 'HEAD' ? new Response(null, changed) : changed;
};

const DATED = [keys.permissions(''), keys.summary({ project: '', asset: '', version: '' })].map((key) =>
  key.slice(key.lastIndexOf('/')),
);

function rewrite(text: string): string {
  return text.replace(/"(upload_start|upload_finish|until)":\s*"([^"]+)"/g, (whole, name: string, date: string) => {
    const time = new Date(date).getTime();
    return Number.isNaN(time) ? whole : `"${name}":"${(FORMS[name] ?? String)(time)}"`;
  });
}

const HOUR = 3_600_000;

const FORMS: Readonly<Record<string, (time: number) => string>> = {
  upload_start: (time) => new Date(time + HOUR).toISOString().replace('Z', '000+01:00'),
  upload_finish: (time) => new Date(time).toISOString().replace('Z', '000000Z'),
  until: (time) => new Date(time - 5 * HOUR).toISOString().replace(/(\.000)?Z/, '-05:00'),
};
