import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../src/version.ts';
import { pathsBelow } from './helpers/entries-below.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const VALUES = ['errors', 'give-way', 'model', 'events', 'verify-stream'];

/** Which part may import which, besides itself. A part is a file or a folder of `src`, or `mocks`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  version: [],
  each: ['errors'],
  'give-way': [],
  'make-folder': ['errors', 'model'],
  'process-owner': ['errors', 'model'],
  'owned-name': ['errors', 'process-owner'],
  'small-file': [],
  'start-worker': [],
  'owned-lock': ['errors', 'give-way', 'make-folder', 'model', 'process-owner'],
  model: ['errors'],
  events: ['model', 'process-owner'],
  'follow-events': ['events'],
  'verify-stream': ['errors', 'model'],
  cache: [...VALUES, 'process-owner', 'owned-name', 'owned-lock', 'make-folder', 'start-worker'],
  registry: ['errors', 'give-way', 'model', 'events'],
  state: ['errors', 'process-owner', 'owned-name', 'small-file', 'model', 'make-folder'],
  tree: [...VALUES, 'each', 'owned-name', 'start-worker'],
  config: ['errors', 'each', 'small-file', 'model', 'make-folder'],
  context: ['errors', 'each', 'model', 'cache', 'registry', 'state', 'version'],
  ops: [
    ...VALUES,
    'each',
    'process-owner',
    'owned-name',
    'owned-lock',
    'make-folder',
    'start-worker',
    'cache',
    'registry',
    'state',
    'tree',
    'context',
  ],
  client: ['context', 'ops'],
  'access-token': ['events', 'config', 'ops', 'client'],
  index: [
    'errors',
    'model',
    'events',
    'follow-events',
    'version',
    'config',
    'context',
    'tree',
    'ops',
    'client',
    'access-token',
  ],
  server: ['errors', 'each', 'give-way', 'model', 'verify-stream', 'make-folder'],
  mocks: ['errors', 'model', 'registry', 'tree', 'server'],
  cli: [
    'errors',
    'give-way',
    'make-folder',
    'model',
    'events',
    'process-owner',
    'cache',
    'registry',
    'tree',
    'version',
    'config',
    'ops',
    'client',
    'access-token',
    'server',
  ],
};

interface Source {
  readonly path: string;
  readonly part: string;
  readonly text: string;
  /** Files of ours, by path, and packages, by name. */
  readonly imports: readonly string[];
  /** Those of them that are there when the code runs. */
  readonly running: readonly string[];
}

const sources = ['src', 'mocks'].flatMap((folder) =>
  pathsBelow(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name): Source => {
      const path = join(folder, name);
      const text = readFileSync(join(root, path), 'utf8');
      return { path, part: partOf(path), text, ...importsOf(path, text) };
    }),
);
const byPath = new Map(sources.map((source) => [source.path, source]));
const ours = (imports: readonly string[]) => imports.filter((path) => /^(src|mocks)\//.test(path));

function partOf(path: string): string {
  const [folder, part = ''] = path.split('/');
  return folder === 'mocks' ? 'mocks' : part.replace(/\.ts$/, '');
}

function importsOf(path: string, text: string): Pick<Source, 'imports' | 'running'> {
  const statements =
    /^(?:import|export)\s+(type\s)?[^'";]*?from\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gms;
  const imports: string[] = [];
  const running: string[] = [];
  for (const [, type, from, whole, late] of text.matchAll(statements)) {
    const name = from ?? whole ?? late ?? '';
    const found = name.startsWith('.') ? relative(root, join(root, dirname(path), name)) : name;
    imports.push(found);
    if (type === undefined) running.push(found);
  }
  return { imports, running };
}

describe('imports', () => {
  it('are found, all of them', () => {
    expect(sources.length).toBeGreaterThan(60);
    for (const { path, text, imports } of sources) {
      const names = text.match(/\bfrom '[^']+';|^import '|\bimport\(/gm) ?? [];
      expect(imports, path).toHaveLength(names.length);
      for (const name of ours(imports)) expect(byPath.has(name), `${path} imports ${name}`).toBe(true);
    }
  });

  it.each(Object.entries(MAY_IMPORT))('of %s lead to nothing but %j', (part, allowed) => {
    const files = sources.filter((source) => source.part === part);
    expect(files).not.toHaveLength(0);
    const wrong = files.flatMap((source) =>
      ours(source.imports)
        .filter((path) => partOf(path) !== part && !allowed.includes(partOf(path)))
        .map((path) => `${source.path} imports ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(MAY_IMPORT))(
    'of %s lead to each of %j: nothing is allowed that is not needed',
    (part, allowed) => {
      const files = sources.filter((source) => source.part === part);
      const used = new Set(files.flatMap((source) => ours(source.imports).map(partOf)));
      expect(allowed.filter((other) => !used.has(other))).toEqual([]);
    },
  );

  it('are of parts that the table names', () => {
    const parts = new Set(sources.map((source) => source.part));
    expect([...parts].filter((part) => !(part in MAY_IMPORT))).toEqual([]);
  });

  it('of the command line are nobody’s', () => {
    for (const [part, allowed] of Object.entries(MAY_IMPORT)) expect(allowed, part).not.toContain('cli');
  });

  it('have no circle', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) {
        circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
        return;
      }
      if (done.has(path)) return;
      for (const next of ours(byPath.get(path)?.imports ?? [])) visit(next, [...way, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  it('of packages are dependencies, or Node’s own by their full names', () => {
    const { dependencies, peerDependencies } = readPackage();
    const known = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !/^(src|mocks)\//.test(name) && !known.has(packageOf(name)))
        .filter((name) => !(name.startsWith('node:') && builtinModules.includes(name.slice('node:'.length))))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

it('the environment and the home folder are read in the configuration only', () => {
  const readers = sources.filter(({ text }) =>
    /process\s*\.\s*env|\benv\b[^;]*from 'node:process'|\bhomedir\b|env-paths/.test(text),
  );
  // How a terminal wants its output is asked where the process begins.
  const allowed = (path: string) => partOf(path) === 'config' || path === 'src/cli/main.ts';
  expect(readers.map(({ path }) => path).filter((path) => !allowed(path))).toEqual([]);
  expect(readers).not.toHaveLength(0);
});

it('nothing but the command line writes to the terminal or ends the process', () => {
  const talkers = sources.filter(({ text }) => /\bconsole\.|process\.(stdout|stderr|stdin|exit)/.test(text));
  expect(talkers.map(({ part }) => part).filter((part) => part !== 'cli')).toEqual([]);
});

it('the version is the package’s', () => {
  expect(VERSION).toBe(readPackage().version);
});

function packageOf(name: string): string {
  const [first = '', second = ''] = name.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function readPackage() {
  const {
    version,
    dependencies,
    peerDependencies = {},
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
    dependencies: Record<string, string>;
    peerDependencies?: Record<string, string>;
  };
  return { version, dependencies, peerDependencies };
}
