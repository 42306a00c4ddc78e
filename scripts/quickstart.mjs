// The whole story on real data: publish three releases of vega-datasets, clone the last, change one file, publish that as
// the fourth version, and prove from an empty cache that what comes back is what was published, byte for byte.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, lstat, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from 'gypsum-client';
import prettyBytes from 'pretty-bytes';

const PROJECT = 'vega';
const ASSET = 'datasets';
const RELEASES = ['2.11.0', '3.1.0', '3.2.1'];
const EDITED = '3.2.1-edited';
const EDITED_FILE = 'data/cars.json';

const cli = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = await realpath(await mkdtemp(join(tmpdir(), 'gypsum-quickstart-')));
const data = join(folder, 'registry');
const cacheDir = join(folder, 'cache');
const clone = join(folder, 'clone');
const proofs = [];

const server = spawn(process.execPath, [cli, 'serve', '--quiet', '--data', data], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [url] = await once(createInterface({ input: server.stdout }), 'line');
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  say(`A registry runs at ${url} and keeps everything in ${data}.\n`);

  const publisher = createClient({ url, token, cacheDir });
  await publisher.createProject(PROJECT);
  const rows = [];

  for (const version of RELEASES) {
    rows.push(await publish(publisher, version, releaseFolder(version)));
  }

  const last = { project: PROJECT, asset: ASSET, version: RELEASES.at(-1) };
  say(`Cloning ${name(last)}, and changing one file of the clone.`);
  await publisher.cloneVersion(last, clone);
  await editFile(join(clone, EDITED_FILE));
  rows.push(await publish(publisher, EDITED, clone));
  await publisher.close();

  say(`Cloning the new version with an empty cache.\n`);
  const reader = createClient({ url, cacheDir: join(folder, 'empty-cache') });
  const edited = { project: PROJECT, asset: ASSET, version: EDITED };
  const check = await reader.cloneVersion(edited, join(folder, 'check'));
  const manifest = await reader.fetchManifest(edited);
  await reader.close();

  printTable(rows);
  const sent = rows.at(-1).sent.files;
  prove(sent === 1, `the new version cost one file: ${sent} was sent`);
  prove(
    check.saved.fetched.bytes > 0,
    `the second cache was empty: ${prettyBytes(check.saved.fetched.bytes)} were fetched`,
  );
  const names = Object.keys(manifest);
  let wrong = 0;
  for (const path of names) {
    const original = path === EDITED_FILE ? join(clone, path) : join(releaseFolder(last.version), path);
    const [a, b] = await Promise.all([readFile(original), readFile(join(check.destination, path))]);
    if (!a.equals(b)) wrong++;
  }
  prove(wrong === 0, `all ${names.length} files are the same, byte for byte, as what was published`);
  const unedited = await readFile(join(releaseFolder(last.version), EDITED_FILE));
  const again = await readFile(join(cacheDir, 'bucket', PROJECT, ASSET, last.version, EDITED_FILE));
  prove(unedited.equals(again), `the version ${last.version} is as it was`);
  for (const { holds, what } of proofs) say(`${holds ? 'proved:' : 'FAILED:'} ${what}`);

  const port = new URL(url).port;
  const gypsum = 'npx gypsum';
  say(`
Go on by hand. In one terminal:
  ${gypsum} serve --port ${port} --data ${data}
In another one:
  export GYPSUM_URL=${url} GYPSUM_CACHE_DIR=${cacheDir} GYPSUM_TOKEN="$(cat ${join(data, 'admin-token')})"
  ${gypsum} versions ${PROJECT}/${ASSET}
  ${gypsum} clone ${PROJECT}/${ASSET} ${join(folder, 'my-clone')}
  ${gypsum} prepare ${join(folder, 'my-clone')}
When you have seen enough:
  unset GYPSUM_URL GYPSUM_CACHE_DIR GYPSUM_TOKEN
  rm -rf ${folder}`);
} catch (error) {
  prove(false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.stderr.write(`FAILED: ${proofs.at(-1).what}\n`);
  await rm(folder, { recursive: true, force: true });
} finally {
  server.kill('SIGINT');
  if (server.exitCode === null) await once(server, 'exit');
}
process.exitCode = proofs.every(({ holds }) => holds) ? 0 : 1;

async function publish(client, version, source) {
  const ref = { project: PROJECT, asset: ASSET, version };
  say(`Publishing ${name(ref)} from ${relative(process.cwd(), source)}.`);
  const began = performance.now();
  const result = await client.uploadDirectory(ref, source);
  return { ...result, seconds: (performance.now() - began) / 1000 };
}

/** A link is removed and a real file takes its place: nobody ever writes through a link. */
async function editFile(path) {
  const stats = await lstat(path);
  prove(stats.isSymbolicLink(), `the clone is made of links: ${EDITED_FILE} was one`);
  const copy = `${path}.new`;
  await copyFile(path, copy);
  await rm(path);
  const cars = JSON.parse(await readFile(copy, 'utf8'));
  await writeFile(path, JSON.stringify([...cars, { ...cars[0], Name: 'one more car' }]));
  await rm(copy);
}

function releaseFolder(version) {
  return fileURLToPath(new URL(`../node_modules/vega-datasets-${version}`, import.meta.url));
}

function printTable(rows) {
  const header = ['version', 'files', 'bytes', 'sent', 'bytes sent', 'links', 'seconds'];
  const lines = rows.map(({ version, files, bytes, sent, linked, seconds }) =>
    [version, files, prettyBytes(bytes), sent.files, prettyBytes(sent.bytes), linked.files, seconds.toFixed(2)].map(
      String,
    ),
  );
  const widths = header.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at].length)));
  const show = (line) =>
    line.map((text, at) => (at === 0 ? text.padEnd(widths[at]) : text.padStart(widths[at]))).join('  ');
  say([show(header), show(widths.map((width) => '-'.repeat(width))), ...lines.map(show)].join('\n'));
  say('');
}

function prove(holds, what) {
  proofs.push({ holds, what });
}

function name({ project, asset, version }) {
  return `${project}/${asset}/${version}`;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
