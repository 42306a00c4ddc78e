import prettyBytes from 'pretty-bytes';
import { formatFileRef, parseFileRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { TracedFile } from '../../ops/follow-links.ts';
import type { FileTrace } from '../../ops/trace-file.ts';
import { argument, type Command } from '../command.ts';
import { isLocal } from '../is-local.ts';
import { versionOf } from '../version-of.ts';

export const why: Command<FileTrace> = {
  usage: 'why <path>',
  summary: 'Show from which version the bytes of a file come, link by link: a file in a clone, or REF:/path',
  example: 'gypsum why my-clone/table.csv',
  async run(call) {
    const { args, client, signal, onEvent } = call;
    const text = argument(args, 0);
    if (isLocal(text) || !/^[^/]+\/[^/]+(?:\/[^/]+)?:\//.test(text))
      return client().traceFile(text, { signal, onEvent });
    const { path, ...ref } = parseFileRef(text);
    return client().traceFile({ ...(await versionOf(call, ref)), path }, { signal, onEvent });
  },
  human({ source, size, md5sum, state, way }) {
    const [first] = way;
    const name = source === undefined ? first && formatFileRef(first) : showText(source);
    const lines = [`${name}: ${STATES[state]}; ${prettyBytes(size)}, MD5 ${md5sum}`];
    if (state === 'modified') lines.push('In its place, the version has:');
    return [
      ...lines,
      ...way.map((file, at) => `  ${at === 0 ? '' : '-> '}${showFile(file, at === way.length - 1)}`),
    ].join('\n');
  },
};

const STATES: Readonly<Record<FileTrace['state'], string>> = {
  published: 'a file of a version',
  linked: 'a link',
  copy: 'an unchanged copy',
  known: 'a file with the content of another one',
  edited: 'a link to a file that was edited in the cache',
  modified: 'modified, with content of its own',
  added: 'new, in no version that is known',
};

function showFile(file: TracedFile, isLast: boolean): string {
  const { state, uploadUserId, uploadFinish } = file;
  return [
    formatFileRef(file),
    ...(uploadFinish === undefined ? [] : [uploadFinish.toISOString()]),
    ...(uploadUserId === undefined ? [] : [showText(uploadUserId)]),
    ...(state === 'official' ? [] : [`(${MARKS[state]})`]),
    ...(isLast && state !== 'gone' && state !== 'other' ? ['holds the bytes'] : []),
  ].join('  ');
}

const MARKS: Readonly<Record<Exclude<TracedFile['state'], 'official'>, string>> = {
  probation: 'on probation',
  unfinished: 'not finished',
  gone: 'gone',
  other: 'holds something else',
};
