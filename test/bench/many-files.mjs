// Publishes a version of many files to a registry: links to one file, which cost it nothing.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'gypsum-client';
import { manyPaths } from './contents.mjs';

import { refOf, treeOf } from './worlds.mjs';

const RECORD = '.gypsum-tree.json';

export async function publishManyFiles(url, token, source, count) {
  const client = createClient({ url, token, cacheDir: `${source}-cache` });
  await mkdir(source);
  await writeFile(join(source, 'one'), 'content');
  const ref = refOf('links', count);
  const first = { ...ref, version: 'v1' };
  await client.uploadDirectory(first, source);
  const link = { ...first, path: 'one' };
  const session = await client.startUpload(ref, [], { links: manyPaths(count).map((path) => ({ path, link })) });
  await client.completeUpload(session);
  await publishTree(client, treeOf(count), source, manyPaths(count), link);
  await client.close();
}

async function publishTree(client, ref, folder, paths, link) {
  const mtime = '2026-01-02T03:04:05.123456789Z';
  const entries = paths.map((path, n) =>
    n % 4 === 0
      ? { path, type: 'symlink', symlink_target: `sample-${n + 1}.parquet`, symlink_target_type: 'file', mtime }
      : { path, type: 'file', mode: '0644', mtime },
  );
  const lines = entries.map((entry) => JSON.stringify(entry)).join(',\n');
  await writeFile(join(folder, RECORD), `{"gypsum-tree":1,"entries":[\n${lines}\n]}\n`);
  const links = paths.filter((_, n) => n % 4 > 0).map((path) => ({ path, link }));
  const session = await client.startUpload(ref, [RECORD], { directory: folder, links });
  await client.uploadFiles(session, folder);
  await client.completeUpload(session);
}
