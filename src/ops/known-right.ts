import { type Fingerprints, openFingerprints } from '../cache/fingerprints.ts';
import type { Context } from '../context.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import type { Shown } from './find-changed.ts';
import { SHARDS } from './prover.ts';

/** Knows without reading them which cached files hold what they must. */
export interface KnownRight {
  /** Whether what is remembered of a project is at hand. */
  isOpen(project: string): boolean;
  open(project: string): Promise<void>;
  /** Whether a file that looks so is known to be what a link must show. */
  has(link: Shown, print: Fingerprint): boolean;
}

export function createKnownRight({ cache, site }: Context): KnownRight {
  const opened = new Map<string, Fingerprints>();
  return {
    isOpen: (project) => opened.has(project),
    async open(project) {
      opened.set(project, await openFingerprints(cache.layout, project, SHARDS, site?.layout));
    },
    has: ({ size, md5sum, project }, print) =>
      print[2] === size && opened.get(project)?.checkPrint(md5sum, print) === 'same',
  };
}
