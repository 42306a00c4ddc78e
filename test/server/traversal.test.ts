import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { each } from '../../src/each.ts';
import { readPart, unescapeComponent } from '../../src/server/disk-keys.ts';
import { listen, openRegistry } from '../../src/server/index.ts';
import { checkInvariants } from './invariants.ts';
import { rawRequest, sendRaw } from './raw-socket.ts';
import { md5, namesAsTokens, type Started, temporaryFolder } from './rig.ts';
import { talkTo } from './talk.ts';

/** What has led somebody out of a folder somewhere, or into one where it had no business. */
const HOSTILE: readonly string[] = [
  '..',
  '.',
  '...',
  '../',
  '../x',
  '../../../../../../../../etc/passwd',
  '/etc/passwd',
  'a/../../b',
  'v1/..',
  'a//b',
  'a/',
  ' ',
  '\\',
  '..\\..',
  'C:\\Windows\\win.ini',
  'CON',
  'aux.txt',
  'x:stream',
  'x\0.txt',
  'x\r\nx-injected: 1',
  '%00',
  '%2e%2e%2f',
  '%2e%2e',
  '%252e%252e%252f',
  '..%2f..%2fsecret',
  '%c0%ae%c0%ae/',
  '\uff0e\uff0e/secret',
  '..summary',
  '..manifest',
  '..LOCK',
  '..logs',
  'v1/..summary',
  '__proto__',
  'constructor',
  '\u202Etxt.exe',
  '\ud800',
  '?',
  '#',
  '?prefix=..',
  'x'.repeat(255),
  'x'.repeat(1012),
  'x'.repeat(1014),
  'x'.repeat(1025),
  '../'.repeat(300),
  '%'.repeat(900),
  '\ud83d\ude00'.repeat(250),
];

/** The ways in which a text stands in an address. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  raw: (text) => text,
  encoded: (text) => encodeURIComponent(text.toWellFormed()).replace(/\./g, '%2E'),
  'doubly encoded': (text) => encodeURIComponent(encodeURIComponent(text.toWellFormed()).replace(/\./g, '%2e')),
};

type Asked = [method: string, target: string, token: string];

/** Every place in an address where a text can stand. */
const TARGETS: readonly ((x: string) => Asked)[] = [
  (x) => ['GET', `/file/${x}`, ''],
  (x) => ['GET', `/file/p%2Fa%2Fv1%2F${x}`, ''],
  (x) => ['HEAD', `/file/${x}`, ''],
  (x) => ['POST', `/bulk/${x}/a/v1`, ''],
  (x) => ['POST', `/bulk/p/${x}/v1`, ''],
  (x) => ['POST', `/bulk/p/a/${x}`, ''],
  (x) => ['GET', `/list?prefix=${x}`, ''],
  (x) => ['GET', `/list?recursive=true&prefix=p%2F${x}`, ''],
  (x) => ['GET', `/list?recursive=${x}&prefix=..`, ''],
  (x) => ['GET', `/credentials/${x}`, ''],
  (x) => ['GET', `/${x}`, ''],
  (x) => ['POST', `/create/${x}`, 'admin'],
  (x) => ['PUT', `/permissions/${x}`, 'admin'],
  (x) => ['PUT', `/quota/${x}`, 'admin'],
  (x) => ['GET', `/lock/${x}`, ''],
  (x) => ['POST', `/release/${x}`, 'admin'],
  (x) => ['DELETE', `/unlock/${x}`, 'admin'],
  (x) => ['POST', `/upload/start/${x}/a/v`, 'admin'],
  (x) => ['POST', `/upload/start/q/${x}/v`, 'admin'],
  (x) => ['POST', `/upload/start/q/a/${x}`, 'admin'],
  (x) => ['POST', `/upload/presigned-file/${x}`, SESSION],
  (x) => ['PUT', `/upload/content/${x}`, ''],
  (x) => ['POST', `/upload/complete/${x}/a/v1`, SESSION],
  (x) => ['POST', `/upload/complete/p/${x}/v1`, SESSION],
  (x) => ['POST', `/upload/complete/p/a/${x}`, SESSION],
  (x) => ['POST', `/upload/abort/${x}/a/v1`, SESSION],
  (x) => ['POST', `/upload/abort/p/${x}/v1`, SESSION],
  (x) => ['POST', `/upload/abort/p/a/${x}`, SESSION],
  (x) => ['POST', `/probation/approve/${x}/a/v1`, 'admin'],
  (x) => ['POST', `/probation/approve/p/${x}/v1`, 'admin'],
  (x) => ['POST', `/probation/approve/p/a/${x}`, 'admin'],
  (x) => ['POST', `/probation/reject/${x}/a/v1`, 'admin'],
  (x) => ['POST', `/probation/reject/p/${x}/v1`, 'admin'],
  (x) => ['POST', `/probation/reject/p/a/${x}`, 'admin'],
  (x) => ['POST', `/refresh/latest/${x}/a`, 'admin'],
  (x) => ['POST', `/refresh/latest/p/${x}`, 'admin'],
  (x) => ['POST', `/refresh/usage/${x}`, 'admin'],
  (x) => ['DELETE', `/remove/${x}/a/v1`, 'admin'],
  (x) => ['DELETE', `/remove/p/${x}/v1`, 'admin'],
  (x) => ['DELETE', `/remove/p/a/${x}`, 'admin'],
  (x) => ['DELETE', `/remove/${x}/a`, 'admin'],
  (x) => ['DELETE', `/remove/p/${x}`, 'admin'],
  (x) => ['DELETE', `/remove/${x}`, 'admin'],
];

const SESSION = '00000000-0000-4000-8000-000000000000';

/** Every place in a body where a text can stand, with the address that takes it. */
const BODIES: readonly ((x: string) => [method: string, target: string, body: unknown])[] = [
  (x) => start([{ type: 'simple', path: x, size: 1, md5sum: md5('1') }]),
  (x) => start([{ type: 'simple', path: `dir/${x}/y`, size: 1, md5sum: md5('1') }]),
  (x) => start([{ type: 'simple', path: 'x', size: 1, md5sum: x }]),
  (x) => start([{ type: x, path: 'x', size: 1, md5sum: md5('1') }]),
  (x) => start([{ type: 'link', path: x, link: { project: 'p', asset: 'a', version: 'v1', path: 'x.txt' } }]),
  (x) => start([{ type: 'link', path: 'x', link: { project: x, asset: 'a', version: 'v1', path: 'x.txt' } }]),
  (x) => start([{ type: 'link', path: 'x', link: { project: 'p', asset: x, version: 'v1', path: 'x.txt' } }]),
  (x) => start([{ type: 'link', path: 'x', link: { project: 'p', asset: 'a', version: x, path: 'x.txt' } }]),
  (x) => start([{ type: 'link', path: 'x', link: { project: 'p', asset: 'a', version: 'v1', path: x } }]),
  (x) => ['PUT', '/permissions/q', { owners: [x], uploaders: [{ id: x, asset: x, version: x, until: x }] }],
  (x) => ['PUT', '/permissions/q', { owners: [x], uploaders: [{ id: x, asset: x, version: x, [x]: x }] }],
  (x) => ['PUT', '/quota/q', { [x]: x }],
  (x) => ['POST', '/bulk/p/a/v1', { paths: [x] }],
  (x) => ['POST', '/bulk/p/a/v1', { paths: ['x.txt', `dir/${x}`] }],
];

const start = (files: unknown): [string, string, unknown] => ['POST', '/upload/start/q/a/v1', { files }];

/** All that is in a folder with its contents, by path. */
async function tree(root: string, except?: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (path === except) continue;
    found.set(path, entry.isFile() ? await readFile(path, 'utf8') : `a folder: ${entry.isDirectory()}`);
    if (entry.isDirectory()) for (const [below, content] of await tree(path, except)) found.set(below, content);
  }
  return found;
}

/** A registry at a socket whose data folder has canaries above it and beside it, and a finished version within. */
async function guarded() {
  const above = await temporaryFolder();
  const data = join(above, 'beside', 'data');
  const canaries = ['x', 'secret', 'b', 'etc/passwd', 'beside/x', 'beside/secret', 'beside/..summary', 'beside/x.txt'];
  for (const path of canaries) {
    await mkdir(dirname(join(above, path)), { recursive: true });
    await writeFile(join(above, path), `canary ${path}`);
  }
  const errors: unknown[] = [];
  const registry = await openRegistry({ data, identity: namesAsTokens, onError: (error) => errors.push(error) });
  const listener = await listen(registry.fetch);
  onTestFinished(async () => {
    await listener.close();
    await registry.close();
  });
  const talk = talkTo(registry);
  for (const project of ['p', 'q']) {
    const body = { permissions: { owners: ['owner'] } };
    expect(await talk.status('POST', `/create/${project}`, { token: 'admin', body })).toBe(200);
  }
  await talk.publish('p/a/v1', { 'x.txt': 'hello', 'dir/y.txt': 'world' });
  const outside = () => tree(above, data);
  const inside = () => tree(join(data, 'objects', 'p'));
  return { data, talk, port: listener.port, errors, outside, inside };
}

const DOCUMENTS =
  /^(?:[^/]+\/\.\.(?:permissions|quota|usage|LOCK)|[^/]+\/[^/]+\/\.\.latest|[^/]+\/[^/]+\/[^/]+\/(?:\.\.manifest|\.\.summary|(?:.+\/)?\.\.links))$/s;

/** Keys of all files in the folder of objects that no user's file or project can have, and no document either. */
async function impossibleKeys(objects: string): Promise<string[]> {
  const keys: string[] = [];
  for (const [path, content] of await tree(objects)) {
    if (content.startsWith('a folder:')) continue;
    const key = relative(objects, path)
      .split('/')
      .map((part) => readPart(part))
      .map(({ raw, goesOn }) => (goesOn ? raw : `${raw}/`))
      .join('')
      .slice(0, -1)
      .split('/')
      .map(unescapeComponent)
      .join('/');
    if (key.startsWith('..logs/')) continue;
    const users = DOCUMENTS.test(key) ? key.slice(0, key.lastIndexOf('/')) : key;
    if (users.split('/').some((name) => name === '' || name === '.' || name.startsWith('..'))) keys.push(key);
  }
  return keys;
}

it.each(Object.entries(ENCODINGS))('no hostile text in an address, %s, leads anywhere', async (name, encode) => {
  const { data, port, errors, outside, inside } = await guarded();
  const before = [await outside(), await inside()];
  const wrong: string[] = [];
  // What is a plain name when it is decoded once makes a project like any other, again and again.
  const texts = name === 'doubly encoded' ? HOSTILE.filter((text) => /^[^x][./\\%]|^[./\\]/.test(text)) : HOSTILE;
  const asked = texts.flatMap((text) => TARGETS.map((target) => target(encode(text))));
  await each(asked, { concurrency: 8 }, async ([method, target, token]) => {
    const known = ['x', 'secret', 'etc/passwd'];
    const body = /^\/(create|upload\/start)/.test(target)
      ? '{"files":[]}'
      : JSON.stringify(target.startsWith('/bulk') ? { paths: known } : {});
    const request = rawRequest(method, target, { token, ...(method === 'GET' ? {} : { body }) });
    const answer = await sendRaw(port, request);
    const told = `${method} ${JSON.stringify(target.slice(0, 80))}: ${answer.status}`;
    if (answer.status < 200 || answer.status >= 500) wrong.push(told);
    if (/canary|root:/.test(answer.body)) wrong.push(`${told} gives what is outside`);
    if (/x-injected/i.test(answer.headers)) wrong.push(`${told} has a header of the client's`);
    if (answer.status === 200 && /^\/file\/(?!p%2Fa)/i.test(target)) wrong.push(`${told} gives a file`);
  });
  expect(wrong).toEqual([]);
  expect(errors).toEqual([]);
  expect([await outside(), await inside()]).toEqual(before);
  expect(await impossibleKeys(join(data, 'objects'))).toEqual([]);
  await checkInvariants(data);
});

it('no hostile text in a body leads anywhere', async () => {
  const { data, port, errors, outside, inside } = await guarded();
  const before = [await outside(), await inside()];
  const wrong: string[] = [];
  for (const text of HOSTILE) {
    await each(BODIES, { concurrency: 4 }, async (ask) => {
      const [method, target, body] = ask(text);
      const answer = await sendRaw(port, rawRequest(method, target, { token: 'admin', body: JSON.stringify(body) }));
      // Of several starts at once one may win, and is ended so that the next text finds the project free.
      if (answer.status < 200 || answer.status >= 500)
        wrong.push(`${target} ${JSON.stringify(text)}: ${answer.status}`);
      if (/canary|root:|upload_user_id/.test(answer.body))
        wrong.push(`${target} ${JSON.stringify(text)} gives too much`);
    });
    const released = await sendRaw(port, rawRequest('POST', '/release/q', { token: 'admin' }));
    if (released.status !== 200) wrong.push(`release: ${released.status}`);
  }
  expect(wrong).toEqual([]);
  expect(errors).toEqual([]);
  expect([await outside(), await inside()]).toEqual(before);
  expect(await impossibleKeys(join(data, 'objects'))).toEqual([]);
  await checkInvariants(data);
});

it('what a path may be is stored under exactly that path, and what it may not be not at all', async () => {
  const { data, talk, outside } = await guarded();
  const before = await outside();
  for (const [index, text] of HOSTILE.entries()) {
    const files = { [text]: 'content' };
    const ref = `p/b/v${index}`;
    let started: Started;
    try {
      started = await talk.start(ref, files);
    } catch (error) {
      expect(String(error)).toMatch(/^Error: 400 /);
      continue;
    }
    await talk.send(started, files);
    expect(await talk.status('POST', started.complete_url, { token: started.session_token })).toBe(200);
    const answer = await talk.call('GET', `/file/${encodeURIComponent(`${ref}/${text}`)}`);
    expect([text, await answer.text()]).toEqual([text, 'content']);
  }
  expect(await outside()).toEqual(before);
  expect(await impossibleKeys(join(data, 'objects'))).toEqual([]);
  await checkInvariants(data);
});

it('a ticket or a slug that somebody wrote, whatever it names, is worth nothing', async () => {
  const { data, port, talk, errors, outside } = await guarded();
  const before = await outside();
  const started = await talk.start('q/a/v1', { 'x.txt': 'hello' });
  const [, signature] = (started.file_urls[0]?.url ?? '').split('.');
  const forge = (fields: unknown) => `${Buffer.from(JSON.stringify(fields)).toString('base64url')}.${signature}`;
  const digest = Buffer.from(md5('hello'), 'hex').toString('base64');
  for (const text of [...HOSTILE, '..summary', 'y']) {
    for (const names of [
      [text, 'a', 'v1', 'x.txt'],
      ['q', text, 'v1', 'x.txt'],
      ['q', 'a', text, 'x.txt'],
      ['q', 'a', 'v1', text],
    ]) {
      const forged = forge([...names, md5('hello'), 5, 9e15]);
      const slug = await sendRaw(
        port,
        rawRequest('POST', `/upload/presigned-file/${forged}`, { token: started.session_token }),
      );
      const put = await sendRaw(
        port,
        rawRequest('PUT', `/upload/content/${forged}`, { body: 'hello', headers: { 'content-md5': digest } }),
      );
      expect([slug.status, put.status], JSON.stringify(names)).toEqual([403, 403]);
    }
  }
  for (const fields of [null, 1, {}, [], ['q'], [1, 2, 3, 4, 5], ['q', 'a', 'v1', 'x', 'm', 'n'], '..']) {
    const slug = await sendRaw(
      port,
      rawRequest('POST', `/upload/presigned-file/${forge(fields)}`, { token: started.session_token }),
    );
    expect(slug.status, JSON.stringify(fields)).toBe(400);
  }
  expect(errors).toEqual([]);
  expect(await outside()).toEqual(before);
  expect(await readdir(join(data, 'incoming'))).toEqual([]);
  await talk.send(started, { 'x.txt': 'hello' });
  expect(await talk.status('POST', started.complete_url, { token: started.session_token })).toBe(200);
});

it.each([
  ['a dot segment that takes the version away', '/remove/p/a/..'],
  ['an encoded one', '/remove/p/a/%2e%2E'],
  ['one in the middle', '/remove/p/x/../a'],
  ['one that stays', '/remove/p/a/.'],
  ['a fragment', '/remove/p/a#/v9'],
  ['a name that is missing', '/remove/p/a/'],
  ['a name that is missing before a query', '/remove/p/a/?x'],
  ['two names that are missing', '/remove/p//'],
  ['a whole URL', 'http://localhost/remove/p/a/..'],
])('a removal by an address with %s removes nothing', async (_, target) => {
  const { port, inside } = await guarded();
  const before = await inside();
  const answer = await sendRaw(port, rawRequest('DELETE', target, { token: 'admin' }));
  expect(answer.status).toBe(400);
  expect(await inside()).toEqual(before);
});
