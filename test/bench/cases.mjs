// All cases of ours beside a yardstick on the same data, by theme.
//
// A case: {
//   name, what       what ours does; what the yardstick does
//   world            the version that is at hand, and entries, if not as many as the world has
//   standing         what it finds and does not change: the version `saved` in a cache, or `cloned` from there
//   prepare(run)     what has to be there before the clock starts, made in a fresh folder for every run
//   ours(run), yardstick(run), finish(run)
//   target, unit     of ours / yardstick
//   memory           the most that ours may take, in MiB
//   requests(entries), sentBytes(entries)   what ours must need, exactly
//   needs            programs
//   isOurs           the yardstick is ours, too, with less to do
//   isCpu            the clock counts seconds of the processor
//   clock            another clock, in seconds
//   isDirect         it talks to the registry, and not to the nginx in front of it
//   isHeavy          its folders are removed behind it: a few large files
//   times            how often ours and the yardstick do it
//   rounds           if not as many as others
// }
import { CLONES } from './clones.mjs';
import { MILLIONS } from './million.mjs';
import { PUBLISHING } from './publishing.mjs';
import { READING } from './reading.mjs';
import { SAVING } from './saving.mjs';
import { STARTING } from './starting.mjs';
import { TREES } from './trees.mjs';

export const CASES = [...STARTING, ...SAVING, ...CLONES, ...PUBLISHING, ...READING, ...TREES, ...MILLIONS];

/** What cases find, made once; each stands on the one before. */
export const STANDING = {
  saved: ({ client, ref }) => client.saveVersion(ref),
  cloned: ({ client, ref, clone }) => client.cloneVersion(ref, clone),
};
