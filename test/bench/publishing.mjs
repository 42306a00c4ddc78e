// A folder becomes a version of the embedded registry.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { call, digestAlone } from './bare.mjs';
import { contentOf, manyPaths } from './contents.mjs';

const MiB = 2 ** 20;

/** An asset of its own for every run: a registry knows what the latest version has. */
const newRef = ({ folder }) => ({ project: 'bench', asset: `new-${folder.split(/[\\/]/).at(-1)}`, version: 'v1' });

export const PUBLISHING = [
  {
    name: 'publish-small',
    what: 'upload of 10,000 new files of 1 to 4 KiB; bare undici loop of the same requests, 16 at once',
    world: 'small',
    isDirect: true,
    target: 1.3,
    prepare: ({ folder, entries }) => writeSource(folder, manyPaths(entries), contentOf),
    ours: (run) => run.client.uploadDirectory(newRef(run), join(run.folder, 'source')),
    yardstick: bareUpload,
  },
  {
    name: 'publish-large',
    what: 'upload of 4 files of 256 MiB; curl -T of the same files, 4 at once, to URLs that are there already',
    world: 'large',
    isDirect: true,
    isHeavy: true,
    target: 1.1,
    needs: ['curl'],
    async prepare(run) {
      const { folder, who, small } = run;
      const content = (at) => Buffer.alloc(small ? MiB : 256 * MiB, `${at} ${folder}`);
      writeSource(folder, manyPaths(4), content);
      if (who === 'yardstick') await presignForCurl(run);
    },
    ours: (run) => run.client.uploadDirectory(newRef(run), join(run.folder, 'source')),
    yardstick: ({ folder }) => call('curl', ['--config', join(folder, 'curl.cfg')]),
    async finish(run) {
      if (run.who === 'yardstick') await complete(run, JSON.parse(readFileSync(join(run.folder, 'session'), 'utf8')));
    },
  },
  {
    name: 'publish-next',
    what: 'upload of a clone of 100,000 files, 1 % of which has changed; our upload of the 1 % alone',
    world: 'many',
    standing: 'saved',
    isOurs: true,
    target: 2,
    memory: 250,
    /** What has changed, and no byte more. */
    sentBytes: (entries) => changedOf(entries).reduce((sum, _, at) => sum + contentOf(at).length, 0),
    async prepare(run) {
      const { who, client, ref, clone, folder, entries } = run;
      if (who === 'yardstick') return writeSource(folder, changedOf(entries), contentOf);
      await client.cloneVersion(ref, clone);
      for (const [at, path] of changedOf(entries).entries()) {
        rmSync(join(clone, path));
        writeFileSync(join(clone, path), contentOf(at));
      }
    },
    ours: (run) => run.client.uploadDirectory(newRef(run), run.clone),
    yardstick: (run) => run.client.uploadDirectory(newRef(run), join(run.folder, 'source')),
  },
];

function changedOf(entries) {
  return manyPaths(entries).filter((_, at) => at % 100 === 0);
}

function writeSource(folder, paths, contentAt) {
  for (const [at, path] of paths.entries()) {
    const file = join(folder, 'source', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contentAt(at));
  }
}

async function bareUpload(run) {
  const { Pool } = await import('undici');
  const pool = new Pool(run.url, { connections: 16 });
  const source = join(run.folder, 'source');
  const contents = new Map();
  for (const path of readdirSync(source, { recursive: true })) {
    if (path.includes('.')) contents.set(path, readFileSync(join(source, path)));
  }
  const files = [...contents].map(([path, content]) => fileOf(path, content.length, md5(content)));
  const session = await start(run, files, pool);
  const waiting = session.file_urls.values();
  const lane = async () => {
    for (const { path, url } of waiting) {
      const presigned = await send(run, pool, 'POST', url, session.session_token);
      const answer = await pool.request({
        method: 'PUT',
        path: new URL(presigned.url, run.url).pathname,
        headers: { 'content-md5': presigned.md5sum_base64 },
        body: contents.get(path),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(text);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  await complete(run, session, pool);
  await pool.close();
}

async function presignForCurl(run) {
  const source = join(run.folder, 'source');
  const paths = manyPaths(4);
  const sizes = paths.map((path) => [path, (run.small ? 1 : 256) * MiB, digestAlone(join(source, path))]);
  const session = await start(
    run,
    sizes.map((file) => fileOf(...file)),
  );
  writeFileSync(join(run.folder, 'session'), JSON.stringify(session));
  const parts = [];
  for (const { path, url } of session.file_urls) {
    const presigned = await send(run, undefined, 'POST', url, session.session_token);
    parts.push(
      `upload-file = "${join(source, path)}"\nurl = "${new URL(presigned.url, run.url)}"\n` +
        `header = "Content-MD5: ${presigned.md5sum_base64}"\nfail\nsilent\n`,
    );
  }
  writeFileSync(join(run.folder, 'curl.cfg'), `parallel\n${parts.join('next\n')}`);
}

const md5 = (content) => createHash('md5').update(content).digest('hex');
const fileOf = (path, size, md5sum) => ({ type: 'simple', path, size, md5sum });

function start(run, files, pool) {
  const { project, asset, version } = newRef(run);
  return send(run, pool, 'POST', `/upload/start/${project}/${asset}/${version}`, run.token, { files });
}

function complete(run, { complete_url, session_token }, pool) {
  return send(run, pool, 'POST', complete_url, session_token);
}

async function send({ url }, pool, method, path, token, document) {
  const { request } = await import('undici');
  const answer = await request(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: document === undefined ? null : JSON.stringify(document),
    ...(pool === undefined ? {} : { dispatcher: pool }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${path.slice(0, 60)}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
