import { nameFault } from '../model/names.ts';
import type { VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { refuse } from './http.ts';

/** Throws `refused` for a version that no registry can have. */
export function checkVersionNames(ref: VersionRef): void {
  for (const kind of ['project', 'asset', 'version'] as const) {
    const fault = nameFault(ref[kind]);
    if (fault) throw refuse(`The ${kind} name "${showText(ref[kind])}" ${fault}.`);
  }
}
