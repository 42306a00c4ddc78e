import { expect, it } from 'vitest';
import { planRestoreSteps } from '../../src/tree/plan-restore.ts';
import type { Standing } from '../../src/tree/standing.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { asLinks, file, folder, link, showLeft, showSteps, special, versionOf } from '../helpers/standing.ts';

/** What is done, and what is left; where that depends on it, if it is forced. */
interface Case {
  readonly what: string;
  readonly paths?: readonly string[];
  readonly standing: readonly Standing[];
  readonly plain?: Partial<Planned>;
  readonly forced?: Partial<Planned>;
}

interface Planned {
  readonly steps: readonly string[];
  readonly left: readonly string[];
  readonly unchanged: number;
}

const version = versionOf({ a: 'one', 'd/e': 'two', 'd/f/g': 'three', l: '-> x', 'o/p': 'folder/' });
const left = leftoverName();

it.each<Case>([
  { what: 'a link that is right', standing: [link('a', 'one')], plain: { unchanged: 1 } },
  { what: 'a staged copy', standing: [file('a', 'one')], plain: { steps: ['~ a'] } },
  { what: 'a link to an equal file', standing: [link('a', 'one', '/cache/b')], plain: { steps: ['~ a'] } },
  {
    what: 'a link to another file of the cache',
    standing: [link('a', 'two', '/cache/d')],
    plain: { steps: ['~ a (kept)'] },
  },
  {
    what: 'a link into a cache that was moved',
    standing: [link('a', undefined, '/astray/a')],
    plain: { steps: ['~ a (kept)'] },
  },
  {
    what: 'a link to elsewhere',
    standing: [link('a', undefined, '/else')],
    plain: { left: ['a foreign'] },
    forced: { steps: ['~ a (kept)'] },
  },
  {
    what: 'what was edited',
    standing: [file('a')],
    plain: { left: ['a modified'] },
    forced: { steps: ['~ a (kept)'] },
  },
  {
    what: 'what is another file’s',
    standing: [file('a', 'two')],
    plain: { left: ['a modified'] },
    forced: { steps: ['~ a (kept)'] },
  },
  { what: 'what was deleted', standing: [], plain: { left: ['a deleted'] }, forced: { steps: ['+ a'] } },
  {
    what: 'what was deleted with its folders',
    paths: ['d/e', 'd/f/g'],
    standing: [],
    plain: { left: ['d/e deleted', 'd/f/g deleted'] },
    forced: { steps: ['+ d/', '+ d/e', '+ d/f/', '+ d/f/g'] },
  },
  {
    what: 'what was deleted below what is no folder any more',
    paths: ['d/e', 'd/f/g'],
    standing: [folder('d'), link('d/f', undefined, '/else')],
    plain: { left: ['d/e deleted', 'd/f/g deleted'] },
    forced: { steps: ['+ d/e'], left: ['d/f/g blocked'] },
  },
  { what: 'a folder in the place of a file', standing: [folder('a')], plain: { left: ['a blocked'] } },
  { what: 'what nobody may touch', standing: [special('a')], plain: { left: ['a special'] } },
  {
    what: 'what a killed run has left, and nothing else beside it',
    standing: [file(left), file('..gypsum-mine'), link('a', 'one'), file('added'), special('x')],
    plain: { steps: [`- ${left}`], unchanged: 1 },
  },
  {
    what: 'symlinks and folders of the version itself that are right',
    paths: ['l', 'o/p'],
    standing: [{ ...link('l', undefined, 'x'), isOwn: true }, folder('o'), folder('o/p')],
    plain: { unchanged: 2 },
  },
  {
    what: 'symlinks and folders of the version itself that were deleted',
    paths: ['l', 'o/p'],
    standing: [],
    plain: { left: ['l deleted', 'o/p deleted'] },
    forced: { steps: ['+ l', '+ o/', '+ o/p/'] },
  },
  {
    what: 'what stands in the place of symlinks and folders of the version itself',
    paths: ['l', 'o/p'],
    standing: [link('l', undefined, 'mine'), folder('o'), file('o/p')],
    plain: { left: ['l retargeted', 'o/p modified'] },
    forced: { steps: ['~ l (kept)', '- o/p (kept)', '+ o/p/'] },
  },
  {
    what: 'those that are meant alone',
    paths: ['a'],
    standing: [file('a', 'one'), folder('d'), file('d/e', 'two')],
    plain: { steps: ['~ a'] },
  },
])('restoring plans for $what', ({ paths = ['a'], standing, plain, forced = plain }) => {
  for (const [force, expected] of [
    [false, plain],
    [true, forced],
  ] as const) {
    const isAstray = ({ before }: Standing) => before?.type === 'symlink' && before.target.startsWith('/astray/');
    const planned = planRestoreSteps({ ...version, paths, standing, isAstray, force, ...asLinks });
    expect({ ...planned, steps: showSteps(planned.steps), left: showLeft(planned.left) }, `force: ${force}`).toEqual({
      steps: [],
      left: [],
      unchanged: 0,
      ...expected,
    });
  }
});
