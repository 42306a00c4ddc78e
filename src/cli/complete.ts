import { createCache } from '../cache/cache.ts';
import { cachedNames } from '../cache/cached-names.ts';
import type { Layout } from '../cache/layout.ts';
import { SETTING_KEYS } from '../config/config-file.ts';
import { configFromEnvironment, stateDir } from '../config.ts';
import { nameFault } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { type Command, type Flag, flagsOf } from './command.ts';
import { commands } from './commands.ts';
import { SHELLS } from './completion-scripts.ts';
import { isLocal } from './is-local.ts';
import { SCHEDULABLE } from './schedulable.ts';

/** Stands alone for the names of local files, which shells complete better. */
const FILES = ':files';

/** What is completed, from the words of the command line behind `gypsum`; the last of them is the unfinished one. */
interface Line {
  readonly words: readonly string[];
  readonly unfinished: string;
}

/**
 * Prints what the last word can become, a line each; nothing at all when anything fails, since it would appear in the
 * middle of what somebody is typing. The network is not asked.
 */
export async function printCandidates(words: readonly string[], print: (text: string) => void): Promise<void> {
  try {
    const candidates = await complete(words[0] === '--' ? words.slice(1) : words);
    print(candidates.map((candidate) => `${candidate}\n`).join(''));
  } catch {
    // There is nobody to tell.
  }
}

/** Gives what the last word can become; `:files` alone stands for the names of local files. */
export async function complete(words: readonly string[]): Promise<string[]> {
  const line = { words: words.slice(0, -1), unfinished: words.at(-1) ?? '' };
  const candidates = await propose(line);
  if (candidates.length === 1 && candidates[0] === FILES) return candidates;
  // What a terminal would obey, or a shell would take for two words, is not offered.
  return [...new Set(candidates)].filter((text) => text.startsWith(line.unfinished) && showText(text) === text);
}

async function propose(line: Line): Promise<string[]> {
  const names = Object.keys(commands).map((name) => name.split(' '));
  const [first, second] = line.words;
  if (first === undefined) return [...names.map(([name = '']) => name), '--help', '--version'];
  const seconds = names.filter(([name, next]) => name === first && next !== undefined);
  if (seconds.length > 0 && second === undefined) return seconds.map(([, name = '']) => name);
  const name = seconds.length > 0 ? `${first} ${second}` : first;
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const end = line.words.indexOf('--');
  // What is scheduled is a command line of its own.
  if (name === 'schedule add' && end !== -1) return proposeScheduled({ ...line, words: line.words.slice(end + 1) });
  return entry === undefined ? [] : proposeFor(await entry.load(), line, name.split(' ').length);
}

async function proposeScheduled(line: Line): Promise<string[]> {
  const candidates = await propose(line);
  const behind = [...line.words, ''].join(' ');
  if (line.words.length > 1 || !SCHEDULABLE.some((name) => name.startsWith(behind))) return candidates;
  return candidates.filter((word) => SCHEDULABLE.some((name) => `${name} `.startsWith(`${behind}${word} `)));
}

async function proposeFor(command: Command<unknown, never>, line: Line, behind: number): Promise<string[]> {
  const flags = flagsOf(command);
  const { positionals, open, ended } = readWords(flags, line.words.slice(behind));
  if (open !== undefined) return proposeValue(open);
  if (!ended && line.unfinished.startsWith('-')) {
    const [name, value] = line.unfinished.split('=', 2);
    const flag = value === undefined ? undefined : flags.find((one) => namesOf(one).includes(name ?? ''));
    if (flag !== undefined) return (await proposeValue(flag)).map((one) => `${name}=${one}`);
    return [...flags.flatMap(namesOf), '--help'];
  }
  const wanted = argumentsOf(command.usage);
  const last = wanted.at(-1);
  const argument = wanted[positionals] ?? (last?.endsWith('...') ? last : undefined);
  return argument === undefined ? [] : proposeArgument(argument, line);
}

/** Counts the arguments among words, and finds the flag that waits for its value. */
function readWords(flags: readonly Flag[], words: readonly string[]) {
  let positionals = 0;
  let ended = false;
  let open: Flag | undefined;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (!ended && word === '--') ended = true;
    else if (ended || !word.startsWith('-')) positionals++;
    else open = flags.find((flag) => takesValue(flag) && namesOf(flag).includes(word));
  }
  return { positionals, open, ended };
}

function namesOf({ flags }: Flag): string[] {
  return flags.split(/[ ,|]+/).filter((word) => word.startsWith('-'));
}

function takesValue({ flags }: Flag): boolean {
  return /[<[]/.test(flags);
}

async function proposeValue({ flags, choices }: Flag): Promise<string[]> {
  if (choices !== undefined) return [...choices];
  if (flags.includes('<job>')) return jobNames();
  return /<(folder|file|path)/.test(flags) ? [FILES] : [];
}

/** Gives the arguments of a usage as it names them, such as `project/asset[/version]`. */
function argumentsOf(usage: string): string[] {
  return [...usage.matchAll(/(?<= )[<[](.*?)[>\]](?= |$)/g)].map(([, name = '']) => name);
}

async function proposeArgument(name: string, line: Line): Promise<string[]> {
  if (name === 'key') return [...SETTING_KEYS];
  if (name === 'shell') return [...SHELLS];
  if (name === 'job') return jobNames();
  if (name.includes('|folder') && isLocal(line.unfinished)) return [FILES];
  if (!name.startsWith('project')) return /folder|file|path|destination/.test(name) ? [FILES] : [];
  const depth = name.includes('version') ? 3 : name.split('/').length;
  return proposeRefs(await openCache(line.words), line.unfinished, depth, {
    versionNeeded: !name.includes('[/version]'),
    withFiles: name.includes(':/'),
  });
}

async function jobNames(): Promise<string[]> {
  const { listJobs } = await import('../ops/list-jobs.ts');
  return (await listJobs(stateDir())).jobs.map(({ name }) => name);
}

interface RefForm {
  readonly versionNeeded: boolean;
  readonly withFiles: boolean;
}

async function proposeRefs(layout: Layout, unfinished: string, depth: number, form: RefForm): Promise<string[]> {
  const parts = unfinished.split('/');
  const above = parts.slice(0, -1);
  const [project = '', asset = '', version = ''] = above;
  if (form.withFiles && version.endsWith(':')) {
    return proposeFiles(layout, { project, asset, version: version.slice(0, -1) }, unfinished);
  }
  if (above.length >= depth) return [];
  const begun = parts.at(-1) ?? '';
  const names = (await cachedNames(layout, ...above)).filter((name) => name.startsWith(begun));
  const level = above.length + 1;
  const enough = level === depth || (level === 2 && !form.versionNeeded);
  const refs = names.map((name) => [...above, name].join('/'));
  if (!enough) return refs.map((ref) => `${ref}/`);
  // Where a ref may end here or go on, both are offered, once it is the only one.
  if (refs.length !== 1) return refs;
  if (level < depth) return [...refs, `${refs[0]}/`];
  return form.withFiles ? [...refs, `${refs[0]}:/`] : refs;
}

/** Goes on by one folder at a time, as shells do. */
async function proposeFiles(
  layout: Layout,
  ref: { project: string; asset: string; version: string },
  unfinished: string,
): Promise<string[]> {
  if (Object.values(ref).some((name) => nameFault(name) !== undefined)) return [];
  const { readIfThere } = await import('../cache/read-document.ts');
  const text = await readIfThere(layout.record(ref, 'manifest'));
  const start = `${ref.project}/${ref.asset}/${ref.version}:/`;
  const begun = unfinished.slice(start.length);
  return Object.keys(JSON.parse(text ?? '{}'))
    .filter((path) => path !== TREE_RECORD && path.startsWith(begun))
    .map((path) => {
      const slash = path.indexOf('/', begun.length);
      return start + (slash === -1 ? path : path.slice(0, slash + 1));
    });
}

/** The cache that the command would use, as the flags on its line have it; another registry's is not looked into. */
async function openCache(words: readonly string[]): Promise<Layout> {
  const url = flagValue(words, '--registry');
  const cacheDir = flagValue(words, '--cache');
  const config = configFromEnvironment({
    ...(url !== undefined && { url }),
    ...(cacheDir !== undefined && { cacheDir }),
    // None is needed.
    token: '',
  });
  const cache = createCache(config.cacheDir, new URL(config.url).href.replace(/\/+$/, ''));
  await cache.check();
  return cache.layout;
}

function flagValue(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  return word === flag ? words[at + 1] : word?.slice(flag.length + 1);
}
