import { GypsumError } from '../../errors.ts';
import { formatRef, parseVersionRef, type VersionRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { AbortedUpload } from '../../ops/abort-recorded-upload.ts';
import type { UploadResult } from '../../ops/apply-upload.ts';
import type { RecordedUpload, RecordedUploads } from '../../ops/recorded-uploads.ts';
import type { Call, Command } from '../command.ts';
import { errorLines } from '../report.ts';
import { count, filesAndBytes } from '../text.ts';

interface Force {
  force?: boolean;
}

const forceFlag = {
  flags: '--force',
  description: 'also if its process is on another machine, and may still be at it',
};

export const uploadsList: Command<RecordedUploads> = {
  usage: 'list',
  summary: 'List the uploads from this machine that have not come to their end: running and interrupted ones',
  example: 'gypsum uploads list',
  run: ({ client, signal }) => client().listUploads({ signal }),
  human({ uploads, damaged }) {
    const registries = new Set(uploads.map(({ registry }) => registry));
    return [
      ...uploads.map((upload) => describe(upload, registries.size > 1)),
      ...damaged.map(({ path, reason }) => `${showText(path)} says nothing of an upload: ${reason}. Remove it.`),
      ...(uploads.length + damaged.length === 0 ? ['There is no upload that has not come to its end.'] : []),
    ].join('\n');
  },
};

export const uploadsResume: Command<UploadResult, Force> = {
  usage: 'resume [project/asset/version]',
  summary: 'Go on with an upload that was interrupted: send what is missing, and complete it',
  example: 'gypsum uploads resume my-project/my-asset/v2',
  flags: [forceFlag],
  async run(call) {
    const { client, options, signal, onEvent } = call;
    const upload = choose(
      call,
      (await interrupted(call)).filter(({ isAnswered }) => isAnswered),
    );
    return client().resumeUpload(upload, { ...options, signal, onEvent });
  },
  human: ({ files, bytes, sent, ...ref }) =>
    `Published ${formatRef(ref)}: ${filesAndBytes({ files, bytes })}; sent of them now: ${filesAndBytes(sent)}.`,
};

export const uploadsAbort: Command<AbortedUpload[], Force & { all?: boolean }> = {
  usage: 'abort [project/asset/version]',
  summary: 'End an upload that was interrupted: remove what it has sent, and unlock its project',
  example: 'gypsum uploads abort my-project/my-asset/v2',
  flags: [{ flags: '--all', description: 'all that were interrupted' }, forceFlag],
  async run(call) {
    const { args, client, options, signal, onEvent, warn } = call;
    const { all = false, force = false } = options;
    const abort = (upload: VersionRef) => client().abortRecordedUpload(upload, { force, signal, onEvent });
    if (!all) return [await abort(choose(call, await interrupted(call)))];
    if (args.length > 0) throw new GypsumError('invalid-argument', 'Give either a version or --all.');
    const ended: AbortedUpload[] = [];
    const errors: unknown[] = [];
    for (const upload of await interrupted(call)) {
      if (upload.state === 'unknown' && !force) continue;
      try {
        ended.push(await abort(upload));
      } catch (error) {
        signal.throwIfAborted();
        if (errors.push(error) > 1) warn(errorLines(error));
      }
    }
    if (errors.length > 0) throw errors[0];
    return ended;
  },
  human: (ended) =>
    ended.length === 0
      ? 'There is no upload that was interrupted.'
      : ended.map(({ outcome, ...ref }) => OUTCOMES[outcome](formatRef(ref))).join('\n'),
};

const OUTCOMES: Readonly<Record<AbortedUpload['outcome'], (name: string) => string>> = {
  aborted: (name) => `Aborted the upload of ${name}.`,
  completed: (name) => `Nothing was aborted: ${name} has been published.`,
  over: (name) => `The upload of ${name} was over already; it is forgotten.`,
};

/** Gives the uploads to the registry at which no process of this machine works. */
async function interrupted({ client, signal }: Pick<Call, 'client' | 'signal'>): Promise<RecordedUpload[]> {
  const { uploads } = await client().listUploads({ signal });
  const { url } = client().context.registry;
  return uploads.filter(({ registry, state }) => registry === url && state !== 'running');
}

/** Gives the upload that was named, or the only one there is. */
function choose({ args: [name] }: Pick<Call, 'args'>, uploads: readonly RecordedUpload[]): VersionRef {
  if (name !== undefined) return parseVersionRef(name);
  const [only, ...others] = uploads;
  if (only === undefined) {
    throw new GypsumError('not-found', 'There is no upload that was interrupted.', {
      hint: 'List what there is, also to other registries, with "gypsum uploads".',
    });
  }
  if (others.length === 0) return only;
  throw new GypsumError('invalid-argument', `There are ${count(uploads.length, 'upload')} that were interrupted.`, {
    hint: `Name one of them: ${uploads.map(formatRef).join(', ')}`,
  });
}

function describe(upload: RecordedUpload, withRegistry: boolean): string {
  const { registry, since, state, process, isAnswered, sent, total } = upload;
  const where = process === undefined ? '' : ` (process ${process.pid} on ${showText(process.host)})`;
  const to = withRegistry ? ` to ${registry}` : '';
  const start = `${formatRef(upload)}${to}  ${state}${where} since ${since.toISOString()}`;
  if (isAnswered) return `${start}, sent ${sent.files} of ${filesAndBytes(total)}`;
  if (state === 'running') return `${start}, starting`;
  const project = showText(upload.project);
  return `${start}, before the registry answered: the project ${project} may be locked. An owner frees it with "gypsum project unlock ${project}".`;
}
