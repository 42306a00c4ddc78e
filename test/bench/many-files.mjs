// Publishes a version of many files to an embedded registry: links to one file, which cost the registry nothing.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'gypsum-client';
import { listen, openRegistry } from 'gypsum-client/server';

export const MANY = { project: 'bench', asset: 'many', version: 'v2' };

/** As many entries with modes and times, every fourth of which is a symlink. */
export const TREE = { project: 'bench', asset: 'tree', version: 'v1' };

const RECORD = '.gypsum-tree.json';

/** Gives names like those of a dataset: folders of 1,000 files. */
function manyPaths(count) {
  return Array.from({ length: count }, (_, n) => `part-${Math.floor(n / 1000)}/sample-${n}.parquet`);
}

export async function publishManyFiles(data, count) {
  const registry = await openRegistry({ data });
  const listener = await listen(registry.fetch);
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const client = createClient({ url: listener.url, token, cacheDir: join(data, 'unused-cache') });
  await client.createProject(MANY.project);
  const source = join(data, 'source');
  await mkdir(source);
  await writeFile(join(source, 'one'), 'content');
  const first = { ...MANY, version: 'v1' };
  await client.uploadDirectory(first, source);
  const link = { ...first, path: 'one' };
  const session = await client.startUpload(MANY, [], { links: manyPaths(count).map((path) => ({ path, link })) });
  await client.completeUpload(session);
  await publishTree(client, source, manyPaths(count), link);
  await client.close();
  return {
    url: listener.url,
    async close() {
      await listener.close();
      await registry.close();
    },
  };
}

async function publishTree(client, folder, paths, link) {
  const mtime = '2026-01-02T03:04:05.123456789Z';
  const entries = paths.map((path, n) =>
    n % 4 === 0
      ? { path, type: 'symlink', symlink_target: `sample-${n + 1}.parquet`, symlink_target_type: 'file', mtime }
      : { path, type: 'file', mode: '0644', mtime },
  );
  const lines = entries.map((entry) => JSON.stringify(entry)).join(',\n');
  await writeFile(join(folder, RECORD), `{"gypsum-tree":1,"entries":[\n${lines}\n]}\n`);
  const links = paths.filter((_, n) => n % 4 > 0).map((path) => ({ path, link }));
  const session = await client.startUpload(TREE, [RECORD], { directory: folder, links });
  await client.uploadFiles(session, folder);
  await client.completeUpload(session);
}
