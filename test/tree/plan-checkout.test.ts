import { expect, it } from 'vitest';
import { planCheckoutSteps } from '../../src/tree/plan-checkout.ts';
import type { Standing } from '../../src/tree/standing.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { asLinks, file, folder, link, showLeft, showSteps, special, versionOf } from '../helpers/standing.ts';

interface Case {
  readonly what: string;
  readonly bases: readonly Readonly<Record<string, string>>[];
  readonly target: Readonly<Record<string, string>>;
  readonly standing: readonly Standing[];
  readonly steps?: readonly string[];
  readonly left?: readonly string[];
  readonly unchanged?: number;
}

const [left, other] = [leftoverName(), leftoverName()].sort() as [string, string];

it.each<Case>([
  {
    what: 'a link whose text changes with its version',
    bases: [{ a: 'one' }],
    target: { a: 'one' },
    standing: [link('a', 'one', '/cache/old/a')],
    steps: ['~ a'],
  },
  {
    what: 'a link that is right',
    bases: [{ a: 'one' }],
    target: { a: 'one' },
    standing: [link('a', 'one')],
    unchanged: 1,
  },
  {
    what: 'a staged copy of what stays',
    bases: [{ a: 'one' }],
    target: { a: 'one' },
    standing: [file('a', 'one')],
    unchanged: 1,
  },
  {
    what: 'a staged copy of what changes',
    bases: [{ a: 'one' }],
    target: { a: 'two' },
    standing: [file('a', 'one')],
    steps: ['~ a'],
  },
  {
    what: 'a file that has come to the same as the target',
    bases: [{ a: 'one' }],
    target: { a: 'two', b: 'new' },
    standing: [file('a', 'two'), file('b', 'new')],
    steps: ['~ a', '~ b'],
  },
  {
    what: 'what was edited, where the versions are equal or not',
    bases: [{ a: 'one', b: 'one', c: 'one' }],
    target: { a: 'one', b: 'two' },
    standing: [file('a'), file('b', 'mine'), file('c')],
    left: ['a modified', 'b modified !', 'c modified !'],
  },
  {
    what: 'what was added, where the target has something or nothing',
    bases: [{}],
    target: { a: 'two' },
    standing: [file('a'), file('b')],
    left: ['a added !'],
  },
  {
    what: 'what was deleted, where the versions are equal or not',
    bases: [{ a: 'one', b: 'one', c: 'one' }],
    target: { a: 'one', b: 'two' },
    standing: [],
    left: ['a deleted', 'b deleted !'],
  },
  {
    what: 'links that lead elsewhere',
    bases: [{ a: 'one', b: 'one' }],
    target: { a: 'two', b: 'one' },
    standing: [link('a', 'x', '/cache/x'), link('b', undefined, '/else')],
    left: ['a retargeted !', 'b foreign'],
  },
  {
    what: 'what nobody may touch, where a version has something',
    bases: [{ a: 'one' }],
    target: { b: 'new' },
    standing: [special('a'), special('b'), special('c')],
    left: ['a special !', 'b special !'],
  },
  {
    what: 'folders that are empty then, from the inmost',
    bases: [{ 'a/b/c': 'one', 'd/e': 'one' }],
    target: {},
    standing: [folder('a'), folder('a/b'), link('a/b/c', 'one'), folder('d'), link('d/e', 'one'), file('d/mine')],
    steps: ['- d/e', '- a/b/c', '- a/b/', '- a/'],
  },
  {
    what: 'folders that somebody has made, also empty ones',
    bases: [{ 'a/b': 'one' }],
    target: {},
    standing: [folder('a'), link('a/b', 'one'), folder('a/mine'), folder('own')],
    steps: ['- a/b'],
  },
  {
    what: 'a folder that the target needs',
    bases: [{ 'a/b': 'one' }],
    target: { 'a/c': 'two' },
    standing: [folder('a'), link('a/b', 'one')],
    steps: ['- a/b', '+ a/c'],
  },
  {
    what: 'folders that come, once each and before what is in them',
    bases: [{}],
    target: { 'a/b/c': 'one', 'a/b/d': 'two', 'a-': 'three' },
    standing: [],
    steps: ['+ a/', '+ a/b/', '+ a/b/c', '+ a/b/d', '+ a-'],
  },
  {
    what: 'a file that becomes a folder',
    bases: [{ a: 'one' }],
    target: { 'a/b': 'one' },
    standing: [link('a', 'one')],
    steps: ['- a', '+ a/', '+ a/b'],
  },
  {
    what: 'a folder that becomes a file',
    bases: [{ 'a/b': 'one' }],
    target: { a: 'one' },
    standing: [folder('a'), link('a/b', 'one')],
    steps: ['- a/b', '- a/', '+ a'],
  },
  {
    what: 'a folder that would become a file if nobody had anything in it',
    bases: [{ 'a/b': 'one' }],
    target: { a: 'one' },
    standing: [folder('a'), link('a/b', 'one'), file('a/mine')],
    steps: ['- a/b'],
    left: ['a blocked !'],
  },
  {
    what: 'what stands in the place of a folder',
    bases: [{ 'a/b': 'one' }],
    target: { 'a/b': 'two', 'c/d': 'new' },
    standing: [link('a', undefined, '/else'), file('c')],
    left: ['a/b deleted !', 'c/d blocked !'],
  },
  {
    what: 'what a killed run has left, but not its living neighbour',
    bases: [{ a: 'one' }],
    target: { a: 'one' },
    standing: [file(left), file(other), file('..gypsum-mine'), link('a', 'one')],
    steps: [`- ${other}`, `- ${left}`],
    unchanged: 1,
  },
  {
    what: 'symlinks and folders of the versions themselves',
    bases: [{ a: '-> x', b: '-> x', c: '-> x', d: 'folder/', e: 'folder/', f: 'one' }],
    target: { a: '-> x', b: '-> y', d: 'folder/', f: '-> z', g: 'folder/', h: '-> x' },
    standing: [
      link('a', undefined, 'x'),
      link('b', undefined, 'x'),
      link('c', undefined, 'x'),
      folder('d'),
      folder('e'),
      link('f', 'one'),
    ],
    steps: ['- e/', '- c', '~ b', '~ f', '+ g/', '+ h'],
    unchanged: 1,
  },
  {
    what: 'symlinks of the version that were led elsewhere, replaced or deleted',
    bases: [{ a: '-> x', b: '-> x', c: '-> x' }],
    target: { a: '-> x', b: '-> y', c: '-> x' },
    standing: [link('a', undefined, 'mine'), file('b')],
    left: ['a retargeted', 'b modified !', 'c deleted'],
  },
  {
    what: 'one half on its way: what has come, what has gone, and what is still as it was',
    bases: [
      { a: 'one', b: 'one', c: 'one' },
      { a: 'two', c: 'two', d: 'two', e: 'two' },
    ],
    target: { a: 'two', c: 'two', d: 'two', e: 'two' },
    standing: [link('a', 'two'), link('b', 'one'), link('c', 'one', '/cache/old/c'), link('d', 'two')],
    steps: ['- b', '~ c', '+ e'],
    unchanged: 2,
  },
  {
    what: 'one half on its way, of which both versions have what is gone',
    bases: [{ a: 'one' }, { a: 'two' }],
    target: { a: 'two' },
    standing: [],
    left: ['a deleted !'],
  },
  {
    what: 'one half on its way, where a folder goes before something else comes, or the other way round',
    bases: [
      { a: 'folder/', b: 'folder/', c: 'one', d: 'folder/' },
      { a: 'two', b: '-> x', c: 'folder/', d: 'folder/' },
    ],
    target: { a: 'two', b: '-> x', c: 'folder/', d: 'folder/' },
    standing: [],
    steps: ['+ a', '+ b', '+ c/'],
    left: ['d deleted'],
  },
])('checking out plans for $what', ({ bases, target, standing, steps = [], left: stays = [], unchanged = 0 }) => {
  const planned = planCheckoutSteps({ bases: bases.map(versionOf), target: versionOf(target), standing, ...asLinks });
  expect({ steps: showSteps(planned.steps), left: showLeft(planned.left), unchanged: planned.unchanged }).toEqual({
    steps,
    left: stays,
    unchanged,
  });
});
