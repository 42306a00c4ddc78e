import type { Content } from '../model/content.ts';
import type { Entry } from '../model/tree.ts';
import type { Before, Step } from './step.ts';

/** What stands at a path of a folder that is of a version. */
export interface Standing {
  readonly path: string;
  readonly type: Entry['type'];
  /** What a step finds there; absent for what none may touch. */
  readonly before?: Before;
  /** It is a symlink that is one of a version's own. */
  readonly isOwn?: true;
  /** What it is known to hold: a symlink or hard link into a cache holds what the version says of that file. */
  readonly content?: Content;
}

/** Something in a folder that is left as it is though its version has something else there, and why. */
export interface LeftPath {
  readonly path: string;
  readonly state: LeftState;
  /** The version that the folder goes over to has something else there than those that it is of. */
  readonly conflict?: true;
}

export const LEFT_STATES = [
  'modified',
  'deleted',
  'added',
  /** A folder stands there, or something that is no folder stands above. */
  'blocked',
  /** A symlink to another content of the cache; or one of the version's own, with another text. */
  'retargeted',
  /** A symlink to elsewhere. */
  'foreign',
  /** A symlink that is the version's own: there is nothing to be made of it. */
  'own',
  'special',
  /** The cached file that it leads to, or is, was changed. */
  'edited',
] as const;

export type LeftState = (typeof LEFT_STATES)[number];

/** Says what somebody has made of a path; `isKnown` are those of a version, of which it has a symlink where that `isLink`. */
export function stateOf({ type, content }: Standing, isKnown: boolean, isLink = false): LeftState {
  if (type === 'special') return 'special';
  if (type === 'symlink' && isLink) return 'retargeted';
  if (type === 'symlink') return content === undefined ? 'foreign' : 'retargeted';
  return isKnown ? 'modified' : 'added';
}

/** What is to be done in a folder that is of a version, and what is not. */
export interface PlannedSteps {
  readonly steps: readonly Step[];
  readonly left: readonly LeftPath[];
  /** Files and links that are there already as they must be. */
  readonly unchanged: number;
}
