import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryBehaviour } from '../../mocks/index.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Notes every module that is loaded by an import. */
const LOADER = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n');
    return next(url, context);
  }`;
const HOOK = `import { register } from 'node:module'; register('./loader.mjs', import.meta.url);`;

/** Gives the parts of this package, and the packages, that are loaded with a module. */
async function loadedWith(name: string): Promise<{ parts: string[]; packages: string[] }> {
  const folder = await tempFolder();
  layOut(folder, { 'loader.mjs': LOADER, 'hook.mjs': HOOK });
  const [hook, log] = [join(folder, 'hook.mjs'), join(folder, 'loaded')];
  const script = `await import('${name}')`;
  await promisify(execFile)(process.execPath, ['--import', hook, '--input-type=module', '-e', script], {
    cwd: root,
    env: { LOADED: log },
  });
  const urls = readFileSync(log, 'utf8').split('\n');
  const named = (pattern: RegExp) => new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []));
  return {
    parts: [...named(/\/dist\/(?:src\/)?([^/.]+)/)].sort(),
    packages: [...named(/\/node_modules\/((?:@[^/]+\/)?[^/]+)/)].sort(),
  };
}

describe('importing', () => {
  it('gypsum-client loads neither the registry nor the command line nor the mocks', async () => {
    const { parts, packages } = await loadedWith('gypsum-client');
    expect(parts).toEqual(expect.arrayContaining(['index', 'ops', 'cache', 'registry', 'tree']));
    for (const other of ['server', 'cli', 'mocks']) expect(parts).not.toContain(other);
    expect(packages).toContain('zod');
    // It is loaded for the first request.
    for (const other of ['undici', 'hono', '@hono/node-server', 'commander', 'prom-client', 'msw', 'vitest'])
      expect(packages).not.toContain(other);
  });

  it('gypsum-client/model loads refs and errors, and no package', async () => {
    expect(await loadedWith('gypsum-client/model')).toEqual({ parts: ['errors', 'model'], packages: [] });
  });

  it('gypsum-client/config loads nothing that speaks to a registry or writes to a cache', async () => {
    const { parts, packages } = await loadedWith('gypsum-client/config');
    expect(parts).toContain('config');
    for (const other of ['ops', 'cache', 'registry', 'tree', 'context']) expect(parts).not.toContain(other);
    expect(packages).not.toContain('undici');
    expect(packages).not.toContain('proper-lockfile');
  });

  it('gypsum-client/server loads nothing of the client', async () => {
    const { parts, packages } = await loadedWith('gypsum-client/server');
    for (const other of ['ops', 'cache', 'registry', 'tree', 'cli', 'mocks', 'config'])
      expect(parts).not.toContain(other);
    expect(packages).not.toContain('commander');
  });

  it('gypsum-client/mocks loads neither the command line nor msw', async () => {
    const { parts, packages } = await loadedWith('gypsum-client/mocks');
    expect(parts).toEqual(expect.arrayContaining(['mocks', 'server']));
    expect(parts).not.toContain('cli');
    expect(packages).not.toContain('msw');
  });
});

it('a repository is tried with what the package exports alone', async () => {
  const script = `
    import { mkdtempSync } from 'node:fs';
    import { openLocalRepository } from 'gypsum-client';
    import { repositoryBehaviour } from 'gypsum-client/mocks';
    const empty = async () => openLocalRepository(mkdtempSync(process.argv[1] + '/'));
    for (const { name, run } of repositoryBehaviour) await run({ empty }).then(() => console.log(name));`;
  const node = ['--input-type=module', '-e', script, await tempFolder()];
  const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: root });
  expect(stdout.trimEnd().split('\n')).toEqual(repositoryBehaviour.map(({ name }) => name));
});
