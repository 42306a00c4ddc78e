// Makes the versions of a world in the data folder of a registry: node make-world.mjs WORLD DATA ENTRIES URL TOKEN SMALL
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { contentOf, manyPaths } from './contents.mjs';
import { publishManyFiles } from './many-files.mjs';
import { refOf } from './worlds.mjs';

const MiB = 2 ** 20;
const [world, data, count, url, token, small] = process.argv.slice(2);
const entries = Number(count);
const ref = refOf(world, entries);

const make = {
  small() {
    const paths = manyPaths(entries);
    const changed = paths.filter((_, at) => at % 100 === 0);
    const first = writeAll(ref, paths, contentOf);
    const own = writeAll({ ...ref, version: 'v2' }, changed, (at) => `changed ${contentOf(at * 100)}`);
    const links = Object.entries(first)
      .filter(([path]) => own[path] === undefined)
      .map(([path, entry]) => [path, { ...entry, link: { ...ref, path } }]);
    finish(ref, first);
    // Of the next version, 1 % is its own, and that 1 % is a version by itself, too.
    finish({ ...ref, version: 'v2' }, { ...own, ...Object.fromEntries(links) });
    const alone = { ...ref, version: 'v3' };
    finish(
      alone,
      writeAll(alone, changed, (at) => `changed ${contentOf(at * 100)}`),
    );
  },
  many() {
    const other = { ...ref, version: 'other' };
    finish(
      other,
      writeAll(other, ['other'], () => 'other\n'),
    );
    finish(
      ref,
      writeAll(ref, manyPaths(entries), (at) => `${at}\n`),
    );
  },
  large: () => finish(ref, Object.fromEntries(manyPaths(entries).map((path, at) => [path, writeLarge(path, at)]))),
  links: () => publishManyFiles(url, token, join(data, '..', `source-${entries}`), entries),
};
await make[world]();

function place({ project, asset, version }, path) {
  return join(data, 'objects', project, asset, version, path);
}

/** Writes the files of a version where the registry has its objects, which takes a tenth of the time of an upload. */
function writeAll(version, paths, contentAt) {
  const manifest = {};
  const made = new Set();
  for (const [at, path] of paths.entries()) {
    const content = contentAt(at);
    const file = place(version, path);
    if (!made.has(dirname(path))) mkdirSync(dirname(file), { recursive: true });
    made.add(dirname(path));
    writeFileSync(file, content);
    manifest[path] = { size: Buffer.byteLength(content), md5sum: createHash('md5').update(content).digest('hex') };
  }
  return manifest;
}

function writeLarge(path, at) {
  const file = place(ref, path);
  mkdirSync(dirname(file), { recursive: true });
  const open = openSync(file, 'wx');
  const digest = createHash('md5');
  const pieces = small === 'true' ? 1 : 256;
  for (let piece = 0; piece < pieces; piece++) {
    const content = Buffer.alloc(MiB, `${at} ${piece} gypsum `);
    writeSync(open, content);
    digest.update(content);
  }
  closeSync(open);
  return { size: pieces * MiB, md5sum: digest.digest('hex') };
}

function finish(version, manifest) {
  const time = '2026-01-02T03:04:05.678Z';
  writeFileSync(place(version, '..manifest'), JSON.stringify(manifest));
  const summary = { upload_user_id: 'bench', upload_start: time, upload_finish: time };
  writeFileSync(place(version, '..summary'), JSON.stringify(summary));
  writeFileSync(join(dirname(place(version, '.')), '..latest'), JSON.stringify({ version: version.version }));
}
