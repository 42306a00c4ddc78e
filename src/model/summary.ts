import { z } from 'zod';

/** `..summary` of a version: who uploaded it and when. */
export interface VersionSummary {
  readonly uploadUserId: string;
  readonly uploadStart: Date;
  /** Absent while the upload is in progress. */
  readonly uploadFinish?: Date;
  readonly onProbation: boolean;
}

const date = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is not a date');

/** `..summary` as it is on the wire. */
export const wireSummary = z.object({
  upload_user_id: z.string(),
  upload_start: date,
  upload_finish: date.optional(),
  on_probation: z.boolean().optional(),
});

export type WireSummary = z.infer<typeof wireSummary>;

/** Turns a `..summary` from the wire into ours. */
export function summaryFromWire(wire: WireSummary): VersionSummary {
  return {
    uploadUserId: wire.upload_user_id,
    uploadStart: new Date(wire.upload_start),
    ...(wire.upload_finish === undefined ? {} : { uploadFinish: new Date(wire.upload_finish) }),
    onProbation: wire.on_probation ?? false,
  };
}

/** Whether the version can no longer change: finished, and not on probation. */
export function isImmutable(summary: VersionSummary): boolean {
  return summary.uploadFinish !== undefined && !summary.onProbation;
}

/** How far a version has come. */
export type VersionState = 'official' | 'probation' | 'unfinished';

export function versionState({ uploadFinish, onProbation }: VersionSummary): VersionState {
  if (uploadFinish === undefined) return 'unfinished';
  return onProbation ? 'probation' : 'official';
}
