// Saves versions the way the R and Python clients do, as far as files are concerned: what is there is believed, what is
// not is written into its place, links become hard links to their ancestors, and COMPLETE comes last.
//   node other-client.mjs URL CACHE plain|rename project/asset/version...
import {
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const [url, cache, how, ...versions] = process.argv.slice(2);

/** Somebody else was faster, or what is there is not ours to write to. */
const lost = (error) => ['EEXIST', 'EACCES', 'ENOENT'].includes(error.code);

async function saveFile(key) {
  const place = join(cache, 'bucket', key);
  if (existsSync(place)) return;
  mkdirSync(dirname(place), { recursive: true });
  const answer = await fetch(`${url}/file/${encodeURIComponent(key)}`);
  if (!answer.ok) throw new Error(`${key}: ${answer.status}`);
  const content = Buffer.from(await answer.arrayBuffer());
  if (how === 'rename') {
    const temporary = `${place}.${process.pid}.tmp`;
    writeFileSync(temporary, content);
    renameSync(temporary, place);
    return;
  }
  try {
    const file = openSync(place, 'w');
    writeSync(file, content.subarray(0, content.length / 2));
    await setTimeout(2);
    writeSync(file, content.subarray(content.length / 2));
  } catch (error) {
    if (!lost(error)) throw error;
  }
}

for (const version of versions) {
  const complete = join(cache, 'status', version, 'COMPLETE');
  if (existsSync(complete)) continue;
  const listing = await fetch(`${url}/list?recursive=true&prefix=${encodeURIComponent(`${version}/`)}`);
  for (const key of await listing.json()) await saveFile(key);
  const manifest = JSON.parse(readFileSync(join(cache, 'bucket', version, '..manifest'), 'utf8'));
  for (const [path, { link }] of Object.entries(manifest)) {
    if (link === undefined || existsSync(join(cache, 'bucket', version, path))) continue;
    const { project, asset, version: from, path: at } = link.ancestor ?? link;
    const source = [project, asset, from, at].join('/');
    await saveFile(source);
    const place = join(cache, 'bucket', version, path);
    mkdirSync(dirname(place), { recursive: true });
    try {
      rmSync(place, { force: true });
      linkSync(join(cache, 'bucket', source), place);
    } catch (error) {
      if (!lost(error)) throw error;
    }
  }
  mkdirSync(dirname(complete), { recursive: true });
  writeFileSync(complete, '');
}
