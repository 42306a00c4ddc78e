// Publishes a version of many files to an embedded registry: links to one file, which cost the registry nothing.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'gypsum-client';
import { listen, openRegistry } from 'gypsum-client/server';

export const MANY = { project: 'bench', asset: 'many', version: 'v2' };

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
  await client.close();
  return {
    url: listener.url,
    async close() {
      await listener.close();
      await registry.close();
    },
  };
}
