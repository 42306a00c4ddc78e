import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createRegistry, diskStorage, type Storage } from '../../src/server/index.ts';
import { checkInvariants } from './invariants.ts';
import { memoryStorage } from './memory-storage.ts';
import { Model, type ModelFile, type ModelPermissions } from './plain-registry.ts';
import { md5, namesAsTokens, type Started, temporaryFolder } from './rig.ts';
import { type Talk, talkTo } from './talk.ts';

/** How many sequences are played; more are worth the time now and then. */
const RUNS = Number(process.env.GYPSUM_MODEL_RUNS ?? 150);

const project = fc.constantFrom('p', 'p', 'p', 'q');
const asset = fc.constantFrom('a', 'a', 'b');
const version = fc.constantFrom('1', '2', '3');
const ref = fc.record({ project, asset, version });
const who = fc.constantFrom('admin', 'admin', 'owner', 'owner', 'uploader', 'nobody');
const path = fc.constantFrom('x', 'y', 'd/x', 'd/e/y');
const content = fc.constantFrom('', 'one', 'two', 'three');
const permissions: fc.Arbitrary<ModelPermissions> = fc.record({
  owners: fc.constantFrom(['owner'], ['owner'], [], ['owner', 'nobody']),
  uploaders: fc.constantFrom(
    [{ id: 'uploader' }],
    [{ id: 'uploader', trusted: true }],
    [{ id: 'uploader', asset: 'b' }, { id: 'uploader' }],
    [],
  ),
});
const files: fc.Arbitrary<ModelFile[]> = fc.uniqueArray(
  fc.record({
    path,
    type: fc.constantFrom('simple' as const, 'dedup' as const, 'dedup' as const, 'link' as const),
    content,
    target: fc.record({ project, asset, version, path }),
  }),
  { selector: ({ path }) => path, maxLength: 4 },
);
/** Counted from the last that was started. */
const session = fc.constantFrom(0, 0, 0, 1, 2);
const flag = fc.boolean();
const mostly = fc.constantFrom(true, true, true, false);
const upload = fc.record({ who, ref, files, onProbation: fc.constantFrom(false, false, true) });

const operation = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('create' as const), who, project, permissions }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('permissions' as const), who, project, permissions, owners: flag }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('quota' as const),
      who,
      project,
      baseline: fc.constantFrom(0, 9, 1e9, 1e9),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('start' as const), upload }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('publish' as const), upload }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('put' as const), session, at: fc.nat(3), isRight: mostly }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('complete' as const), session }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), session }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('approve' as const), who, ref, at: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reject' as const), who, ref, at: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('removeVersion' as const), who, ref }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('removeAsset' as const), who, ref }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('removeProject' as const), who, project }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unlock' as const), who, project }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('release' as const), who, project }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refreshLatest' as const), who, ref }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refreshUsage' as const), who, project }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Plays operations against a registry and the model at once, and compares after each. */
async function play(storage: Storage, operations: readonly Operation[]): Promise<void> {
  const open = () => createRegistry({ storage, identity: namesAsTokens, secret: Buffer.alloc(32, 5) });
  let registry = await open();
  let talk = talkTo(registry);
  const model = new Model();
  const started: Started[] = [];
  const contents: Map<string, string>[] = [];
  const abandoned = new Set<string>();

  async function start({ who, ref, files, onProbation }: Extract<Operation, { upload: unknown }>['upload']) {
    const body = {
      files: files.map(({ path, type, content, target }) =>
        type === 'link' ? { type, path, link: target } : { type, path, size: content.length, md5sum: md5(content) },
      ),
      on_probation: onProbation,
    };
    const at = `/upload/start/${ref.project}/${ref.asset}/${ref.version}`;
    const answer = await talk.call('POST', at, { token: who, body });
    expect(answer.status).toBe(model.start(who, ref, files, onProbation));
    if (answer.status !== 200) return undefined;
    const session = (await answer.json()) as Started;
    started.push(session);
    contents.push(new Map(files.map(({ path, content }) => [path, content])));
    expect(session.file_urls.map(({ path }) => path).sort()).toEqual([...(model.sessions.at(-1)?.sent ?? [])].sort());
    return started.length - 1;
  }

  async function put(index: number, path: string, isRight: boolean) {
    const session = started[index];
    const url = session?.file_urls.find((file) => file.path === path)?.url ?? '';
    const content = contents[index]?.get(path) ?? '';
    const expected = model.put(index, path, isRight);
    const answer = await talk.call('POST', url, { token: session?.session_token ?? '' });
    if (expected === 403) {
      expect(answer.status).toBe(403);
      return;
    }
    const address = (await answer.json()) as { url: string; md5sum_base64: string };
    const headers = { 'content-md5': address.md5sum_base64 };
    const body = isRight ? content : `${content}!`;
    expect(await talk.status('PUT', address.url, { body, headers })).toBe(expected);
  }

  const end = async (how: 'complete' | 'abort', index: number) => {
    const { complete_url = '', abort_url = '', session_token: token = '' } = started[index] ?? {};
    expect(await talk.status('POST', how === 'complete' ? complete_url : abort_url, { token })).toBe(model[how](index));
  };

  async function run(step: Operation): Promise<void> {
    const expectStatus = async (method: string, path: string, status: number, body?: unknown) => {
      const token = 'who' in step ? step.who : '';
      expect(await talk.status(method, path, { token, ...(body === undefined ? {} : { body }) })).toBe(status);
    };
    const last = 'session' in step ? started.length - 1 - step.session : -1;
    switch (step.type) {
      case 'create':
        return expectStatus('POST', `/create/${step.project}`, model.create(step.who, step.project, step.permissions), {
          permissions: step.permissions,
        });
      case 'permissions': {
        const { owners, uploaders } = step.permissions;
        const change = step.owners ? { owners } : { uploaders };
        const status = model.permissions(step.who, step.project, change);
        return expectStatus('PUT', `/permissions/${step.project}`, status, change);
      }
      case 'quota':
        return expectStatus('PUT', `/quota/${step.project}`, model.quota(step.who, step.project, step.baseline), {
          baseline: step.baseline,
          growth_rate: 0,
        });
      case 'start':
        await start(step.upload);
        return;
      case 'publish': {
        const index = await start(step.upload);
        if (index === undefined) return;
        for (const path of model.sessions[index]?.sent ?? []) await put(index, path, true);
        return end('complete', index);
      }
      case 'put': {
        const sent = model.sessions[last]?.sent ?? [];
        const chosen = sent[step.at % Math.max(1, sent.length)];
        return chosen === undefined ? undefined : put(last, chosen, step.isRight);
      }
      case 'complete':
      case 'abort':
        return last < 0 ? undefined : end(step.type, last);
      case 'approve':
      case 'reject': {
        // Mostly one that there is something to be said of.
        const ref = model.onProbation().at(step.at) ?? step.ref;
        const { project, asset, version } = ref;
        const status = model[step.type](step.who, ref);
        return expectStatus('POST', `/probation/${step.type}/${project}/${asset}/${version}`, status);
      }
      case 'removeVersion': {
        const { project, asset, version } = step.ref;
        return expectStatus('DELETE', `/remove/${project}/${asset}/${version}`, model.remove(step.who, step.ref));
      }
      case 'removeAsset': {
        const { project, asset } = step.ref;
        return expectStatus('DELETE', `/remove/${project}/${asset}`, model.remove(step.who, { project, asset }));
      }
      case 'removeProject':
        return expectStatus('DELETE', `/remove/${step.project}`, model.remove(step.who, { project: step.project }));
      case 'unlock': {
        const lock = model.projects.get(step.project)?.lock;
        const status = model.unlock(step.who, step.project);
        if (lock !== undefined && status === 200) abandoned.add(`${step.project}/${lock.asset}/${lock.version}`);
        return expectStatus('DELETE', `/unlock/${step.project}`, status);
      }
      case 'release':
        return expectStatus('POST', `/release/${step.project}`, model.release(step.who, step.project));
      case 'refreshLatest': {
        const { project, asset } = step.ref;
        return expectStatus('POST', `/refresh/latest/${project}/${asset}`, model.refreshLatest(step.who, step.ref));
      }
      case 'refreshUsage':
        return expectStatus('POST', `/refresh/usage/${step.project}`, model.refresh(step.who, step.project));
      case 'sweep':
        expect((await registry.sweep()).locks).toEqual([]);
        return;
      case 'restart':
        registry = await open();
        talk = talkTo(registry);
    }
  }

  for (const step of operations) {
    await run(step);
    // No two things happen in the same millisecond: which came last is told by the times.
    vi.setSystemTime(Date.now() + 1);
    expect(await visible(storage)).toEqual(model.visible());
    await checkInvariants(storage, { abandoned: [...abandoned] });
  }
  await compareAnswers(talk, model);
}

/** What is stored, in the form of the model. */
async function visible(storage: Storage): Promise<Map<string, unknown>> {
  const seen = new Map<string, unknown>();
  for await (const key of storage.list('', { recursive: true })) {
    if (key.startsWith('..logs/')) continue;
    const object = await storage.get(key);
    const text = Buffer.concat(await (object?.body.toArray() ?? [])).toString();
    seen.set(key, inForm(key, text));
  }
  return seen;
}

function inForm(key: string, text: string): unknown {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (!name.startsWith('..')) return text;
  const value = JSON.parse(text);
  if (name === '..quota') return value.baseline === 1e10 ? Number.POSITIVE_INFINITY : value.baseline;
  if (name === '..LOCK') return { asset: value.asset, version: value.version };
  if (name !== '..summary') return value;
  for (const time of ['upload_start', 'upload_finish'])
    if (time in value) value[time] = !Number.isNaN(Date.parse(value[time]));
  return value;
}

/** What clients are answered is what is stored. */
async function compareAnswers(talk: Talk, model: Model): Promise<void> {
  const wanted = model.visible();
  const listed = (await (await talk.call('GET', '/list?recursive=true')).json()) as string[];
  expect(listed.filter((key) => !key.startsWith('..logs/')).sort()).toEqual([...wanted.keys()].sort());
  for (const [key, value] of wanted) {
    const answer = await talk.call('GET', `/file/${encodeURIComponent(key)}`);
    expect(inForm(key, await answer.text())).toEqual(value);
  }
  for (const [name, { lock }] of model.projects) {
    const answer = await (await talk.call('GET', `/lock/${name}`)).json();
    expect(answer).toMatchObject(lock === undefined ? { locked: false } : { locked: true, user: lock.user });
  }
}

const FIRST = (['p', 'q'] as const).map(
  (project): Operation => ({
    type: 'create',
    who: 'admin',
    project,
    permissions: { owners: ['owner'], uploaders: [{ id: 'uploader' }] },
  }),
);

/** A counterexample is printed with the seed that makes it again. */
async function check(makeStorage: () => Promise<Storage>, numRuns: number): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async (operations) =>
        play(await makeStorage(), [...FIRST, ...operations]),
      ),
      {
        numRuns,
        ...(process.env.GYPSUM_MODEL_SEED === undefined ? {} : { seed: Number(process.env.GYPSUM_MODEL_SEED) }),
      },
    );
  } finally {
    vi.useRealTimers();
  }
}

it('whatever is done in whatever order, a registry is what the model is', async () => {
  await check(async () => memoryStorage(), RUNS);
}, 600_000);

it('on a disk too', async () => {
  await check(async () => diskStorage(await temporaryFolder()), Math.ceil(RUNS / 30));
}, 600_000);
