import { rawPath } from '../../src/server/http.ts';
import { failed, reasonOf } from './answers.ts';
import type { Oddity } from './world.ts';

/** A key of more than 1,024 bytes, and a `%` that stands for no character, are failures of its own, not of the request. */
export const failsOnOddKeys: Oddity = () => async (request, next) => {
  const answer = await next();
  if (answer.status !== 400) return answer;
  const isOdd = isMalformed(rawPath(request)) || /too long|longer than \d+ bytes/.test(await reasonOf(answer));
  return isOdd ? failed(request, next) : answer;
};

function isMalformed(path: string): boolean {
  try {
    decodeURIComponent(path);
    return false;
  } catch (error) {
    if (error instanceof URIError) return true;
    throw error;
  }
}
