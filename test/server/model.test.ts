import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  createRegistry,
  diskStorage,
  type Identity,
  memoryStorage,
  type Registry,
  type Storage,
} from '../../src/server/index.ts';
import { md5, type Started, temporaryFolder } from './rig.ts';

// A small registry of plain values, which does each operation in one step, beside the real one.

type User = 'admin' | 'owner' | 'uploader' | 'trusted' | 'nobody';
interface Ref {
  readonly project: string;
  readonly asset: string;
  readonly version: string;
}
interface Target extends Ref {
  readonly path: string;
}
interface Entry {
  readonly content: string;
  readonly link?: Target & { readonly ancestor?: Target };
}
interface Version {
  readonly user: User;
  readonly manifest: Map<string, Entry>;
  probation: boolean;
  /** A later one is greater; 0 where the upload is not finished. */
  finish: number;
}
interface Upload extends Ref {
  readonly user: User;
  /** What has to be sent, and whether it has been. */
  readonly sent: Map<string, boolean>;
}
interface Project {
  readonly versions: Map<string, Version>;
  readonly latest: Map<string, string>;
  usage: number;
  allowed: number;
  upload?: Upload | undefined;
}

type AnnouncedFile =
  | { type: 'simple' | 'dedup'; path: string; content: string }
  | { type: 'link'; path: string; link: Target };

type Operation =
  | { do: 'create'; user: User; project: string }
  | { do: 'quota'; user: User; project: string; baseline: number }
  | ({ do: 'start'; user: User; files: AnnouncedFile[]; probation: boolean } & Ref)
  | { do: 'send'; project: string; all: boolean }
  | { do: 'complete' | 'abort'; project: string }
  | ({ do: 'approve' | 'reject' | 'removeVersion'; user: User } & Ref)
  | { do: 'removeAsset' | 'refreshLatest'; user: User; project: string; asset: string }
  | { do: 'removeProject' | 'unlock' | 'release' | 'refreshUsage'; user: User; project: string }
  | { do: 'restart' };

const id = ({ asset, version }: { asset: string; version: string }) => `${asset}/${version}`;
const isOwner = (user: User) => user === 'admin' || user === 'owner';
const mayUpload = (user: User) => user !== 'nobody';

function createModel() {
  const projects = new Map<string, Project>();
  let clock = 0;

  const findLatest = ({ versions }: Project, asset: string) => {
    const official = [...versions].filter(
      ([name, one]) => name.startsWith(`${asset}/`) && one.finish > 0 && !one.probation,
    );
    return official.sort(([, a], [, b]) => b.finish - a.finish)[0]?.[0].slice(asset.length + 1);
  };
  const setLatest = (project: Project, asset: string, version: string | undefined) =>
    version === undefined ? project.latest.delete(asset) : project.latest.set(asset, version);
  const ownSize = ({ manifest }: Version) =>
    [...manifest.values()].reduce((sum, { content, link }) => sum + (link === undefined ? content.length : 0), 0);
  const drop = (project: Project, name: string) => {
    const version = project.versions.get(name);
    if (version === undefined) return;
    if (version.finish > 0) project.usage -= ownSize(version);
    project.versions.delete(name);
    const [asset = '', version_ = ''] = name.split('/');
    if (project.latest.get(asset) === version_) setLatest(project, asset, findLatest(project, asset));
  };
  const linkTo = (target: Target, { content, link }: Entry): Entry => {
    if (link === undefined) return { content, link: target };
    const { ancestor, ...own } = link;
    return { content, link: { ...target, ancestor: ancestor ?? own } };
  };

  function start(ref: Ref, user: User, files: readonly AnnouncedFile[], probation: boolean): number {
    const project = projects.get(ref.project);
    if (project === undefined) return 400;
    if (!mayUpload(user)) return 403;
    if (project.upload !== undefined) return 403;
    if (project.versions.has(id(ref))) return 400;
    const links = new Map<string, Entry>();
    for (const file of files) {
      if (file.type !== 'link') continue;
      const version = projects.get(file.link.project)?.versions.get(id(file.link));
      const entry = version?.manifest.get(file.link.path);
      if (version === undefined || entry === undefined || version.finish === 0 || version.probation) return 400;
      links.set(file.path, linkTo(file.link, entry));
    }
    const latest = project.latest.get(ref.asset);
    const known = new Map<string, [Target, Entry]>();
    if (latest !== undefined) {
      const target = { ...ref, version: latest };
      for (const [path, entry] of project.versions.get(id(target))?.manifest ?? []) {
        known.set(entry.content, [{ project: ref.project, asset: ref.asset, version: latest, path }, entry]);
      }
    }
    const sent = new Map<string, string>();
    for (const file of files) if (file.type === 'simple') sent.set(file.path, file.content);
    const twins = new Map([...sent].map(([path, content]) => [content, path]));
    for (const file of files) {
      if (file.type !== 'dedup') continue;
      const found = known.get(file.content);
      const twin = twins.get(file.content);
      const { project: ofProject, asset, version } = ref;
      if (found !== undefined) links.set(file.path, linkTo(...found));
      else if (twin !== undefined) {
        links.set(file.path, { content: file.content, link: { project: ofProject, asset, version, path: twin } });
      } else {
        sent.set(file.path, file.content);
        twins.set(file.content, file.path);
      }
    }
    const added = [...sent.values()].reduce((sum, content) => sum + content.length, 0);
    if (project.usage + added >= project.allowed) return 400;
    const manifest = new Map<string, Entry>([
      ...[...sent].map(([path, content]): [string, Entry] => [path, { content }]),
      ...links,
    ]);
    const isTrusted = isOwner(user) || user === 'trusted';
    project.versions.set(id(ref), { user, manifest, probation: !isTrusted || probation, finish: 0 });
    project.upload = { ...ref, user, sent: new Map([...sent.keys()].map((path) => [path, false])) };
    return 200;
  }

  return {
    projects,
    start,
    create(user: User, name: string): number {
      if (user !== 'admin') return 403;
      if (projects.has(name)) return 400;
      projects.set(name, { versions: new Map(), latest: new Map(), usage: 0, allowed: 1000 });
      return 200;
    },
    quota(user: User, name: string, baseline: number): number {
      if (user !== 'admin') return 403;
      const project = projects.get(name);
      if (project === undefined) return 400;
      project.allowed = baseline;
      return 200;
    },
    complete(project: Project): number {
      const { upload } = project;
      if (upload === undefined) return 403;
      if ([...upload.sent.values()].includes(false)) return 400;
      const version = project.versions.get(id(upload));
      if (version === undefined) throw new Error('An upload has a version.');
      version.finish = ++clock;
      project.usage += ownSize(version);
      if (!version.probation) setLatest(project, upload.asset, upload.version);
      project.upload = undefined;
      return 200;
    },
    abort(project: Project): number {
      if (project.upload === undefined) return 403;
      drop(project, id(project.upload));
      project.upload = undefined;
      return 200;
    },
    end(verb: 'approve' | 'reject', user: User, ref: Ref): number {
      const project = projects.get(ref.project);
      if (project === undefined) return 400;
      if (verb === 'approve' ? !isOwner(user) : !mayUpload(user)) return 403;
      if (project.upload !== undefined) return 403;
      const version = project.versions.get(id(ref));
      if (version === undefined || !version.probation) return 400;
      if (verb === 'reject') {
        if (!isOwner(user) && version.user !== user) return 400;
        drop(project, id(ref));
        return 200;
      }
      if (version.finish === 0) return 400;
      version.probation = false;
      const latest = project.latest.get(ref.asset);
      const current = latest === undefined ? 0 : (project.versions.get(`${ref.asset}/${latest}`)?.finish ?? 0);
      if (version.finish > current) setLatest(project, ref.asset, ref.version);
      return 200;
    },
    remove(user: User, name: string, prefix: string | undefined): number {
      if (user !== 'admin') return 403;
      const project = projects.get(name);
      if (project === undefined) return prefix === undefined ? 200 : 404;
      if (project.upload !== undefined) return 403;
      if (prefix === undefined) projects.delete(name);
      else {
        for (const one of [...project.versions.keys()])
          if (one === prefix || one.startsWith(`${prefix}/`)) drop(project, one);
      }
      return 200;
    },
    unlock(user: User, name: string): number {
      if (user !== 'admin') return 403;
      const project = projects.get(name);
      if (project !== undefined) project.upload = undefined;
      return 200;
    },
    release(user: User, name: string): number {
      const project = projects.get(name);
      if (project === undefined) return 404;
      if (!isOwner(user) && project.upload?.user !== user) return 403;
      this.abort(project);
      return 200;
    },
    refresh(user: User, name: string): number {
      if (user !== 'admin') return 403;
      const project = projects.get(name);
      if (project === undefined) return 400;
      return project.upload === undefined ? 200 : 403;
    },
  };
}

const USERS: readonly User[] = ['admin', 'owner', 'uploader', 'trusted', 'nobody'];
const identity: Identity = {
  identify: async (token) =>
    USERS.some((user) => user === token) ? { id: token, organizations: [], admin: token === 'admin' } : undefined,
};
const permissions = { owners: ['owner'], uploaders: [{ id: 'uploader' }, { id: 'trusted', trusted: true }] };

/** The real registry, with the sessions of its uploads. */
async function createSubject(storage: Storage) {
  const open = () => createRegistry({ storage, identity, secret: Buffer.alloc(32, 5) });
  let registry: Registry = await open();
  const sessions = new Map<string, Started & { urls: Map<string, string> }>();

  async function ask(method: string, path: string, token = '', body?: unknown, headers: Record<string, string> = {}) {
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const request = new Request(new URL(path, 'http://registry.test'), {
      method,
      headers: { ...headers, ...(token !== '' && { authorization: `Bearer ${token}` }) },
      ...content,
    });
    const answer = await registry.fetch(request);
    return { status: answer.status, text: await answer.text() };
  }
  const read = async (key: string) => {
    const { status, text } = await ask('GET', `/file/${encodeURIComponent(key)}`);
    return status === 200 ? text : undefined;
  };
  return {
    ask,
    read,
    sessions,
    restart: async () => {
      registry = await open();
    },
    list: async (prefix: string): Promise<string[]> =>
      JSON.parse((await ask('GET', `/list?prefix=${encodeURIComponent(prefix)}`)).text),
    async start(ref: Ref, user: User, files: readonly AnnouncedFile[], probation: boolean): Promise<number> {
      const announced = files.map((file) =>
        file.type === 'link'
          ? file
          : { type: file.type, path: file.path, size: file.content.length, md5sum: md5(file.content) },
      );
      const path = `/upload/start/${ref.project}/${ref.asset}/${ref.version}`;
      const { status, text } = await ask('POST', path, user, { files: announced, on_probation: probation });
      if (status === 200) {
        const started = JSON.parse(text) as Started;
        sessions.set(ref.project, {
          ...started,
          urls: new Map(started.file_urls.map(({ path: file, url }) => [file, url])),
        });
      }
      return status;
    },
    async send(project: string, path: string, content: string): Promise<number> {
      const session = sessions.get(project);
      const presigned = await ask('POST', session?.urls.get(path) ?? '/none', session?.session_token);
      if (presigned.status !== 200) return presigned.status;
      const { url, md5sum_base64 } = JSON.parse(presigned.text);
      return (await ask('PUT', url, '', content, { 'content-md5': md5sum_base64 })).status;
    },
  };
}

const project = fc.constantFrom('p', 'p', 'p', 'p', 'q');
const asset = fc.constantFrom('a', 'a', 'a', 'a', 'b');
const version = fc.constantFrom('1', '2');
const path = fc.constantFrom('f', 'dir/g', 'dir/h', '__proto__');
const content = fc.constantFrom('', 'x', 'yy');
const user = fc.oneof(
  { arbitrary: fc.constantFrom<User>('owner', 'admin'), weight: 3 },
  { arbitrary: fc.constantFrom(...USERS), weight: 1 },
);
const admin = fc.oneof(
  { arbitrary: fc.constant<User>('admin'), weight: 4 },
  { arbitrary: fc.constantFrom(...USERS), weight: 1 },
);
const ref = { project, asset, version };
const file: fc.Arbitrary<AnnouncedFile> = fc.oneof(
  fc.record({ type: fc.constantFrom('simple' as const, 'dedup' as const), path, content }),
  fc.record({ type: fc.constant('link' as const), path, link: fc.record({ ...ref, path }) }),
);
const files = fc.uniqueArray(file, { maxLength: 4, selector: ({ path: name }) => name });

function one<Name extends string, Rest>(name: Name, rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> }) {
  return fc.record({ do: fc.constant(name), ...rest } as never) as unknown as fc.Arbitrary<Operation>;
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: one('create', { user: admin, project }) },
  { weight: 1, arbitrary: one('quota', { user: admin, project, baseline: fc.constantFrom(0, 3, 1000) }) },
  { weight: 8, arbitrary: one('start', { user, ...ref, files, probation: fc.boolean() }) },
  { weight: 7, arbitrary: one('send', { project, all: fc.constantFrom(true, true, false) }) },
  { weight: 7, arbitrary: one('complete', { project }) },
  { weight: 1, arbitrary: one('abort', { project }) },
  { weight: 5, arbitrary: one('approve', { user, ...ref }) },
  { weight: 2, arbitrary: one('reject', { user, ...ref }) },
  { weight: 3, arbitrary: one('removeVersion', { user: admin, ...ref }) },
  { weight: 1, arbitrary: one('removeAsset', { user: admin, project, asset }) },
  { weight: 1, arbitrary: one('removeProject', { user: admin, project }) },
  { weight: 2, arbitrary: one('unlock', { user: admin, project }) },
  { weight: 1, arbitrary: one('release', { user, project }) },
  { weight: 1, arbitrary: one('refreshLatest', { user: admin, project, asset }) },
  { weight: 1, arbitrary: one('refreshUsage', { user: admin, project }) },
  { weight: 1, arbitrary: one('restart', {}) },
);

type Model = ReturnType<typeof createModel>;
type Subject = Awaited<ReturnType<typeof createSubject>>;

/** Does an operation with both, and gives both statuses. */
async function both(model: Model, subject: Subject, op: Operation): Promise<[number, number]> {
  const status = async (...request: Parameters<Subject['ask']>) => (await subject.ask(...request)).status;
  switch (op.do) {
    case 'restart':
      await subject.restart();
      return [0, 0];
    case 'create':
      return [
        model.create(op.user, op.project),
        await status('POST', `/create/${op.project}`, op.user, {
          permissions,
          quota: { baseline: 1000, growth_rate: 0 },
        }),
      ];
    case 'quota':
      return [
        model.quota(op.user, op.project, op.baseline),
        await status('PUT', `/quota/${op.project}`, op.user, { baseline: op.baseline }),
      ];
    case 'start':
      return [
        model.start(op, op.user, op.files, op.probation),
        await subject.start(op, op.user, op.files, op.probation),
      ];
    case 'send': {
      const upload = model.projects.get(op.project)?.upload;
      for (const [name] of [...(upload?.sent ?? [])].slice(0, op.all ? undefined : 1)) {
        const entry = upload && model.projects.get(op.project)?.versions.get(id(upload))?.manifest.get(name);
        if ((await subject.send(op.project, name, entry?.content ?? '')) !== 200) return [200, 500];
        upload?.sent.set(name, true);
      }
      return [0, 0];
    }
    case 'complete':
    case 'abort': {
      const session = subject.sessions.get(op.project);
      if (session === undefined) return [0, 0];
      const held = model.projects.get(op.project);
      const url = op.do === 'complete' ? session.complete_url : session.abort_url;
      const expected = held === undefined ? 403 : model[op.do](held);
      return [expected, await status('POST', url, session.session_token)];
    }
    case 'approve':
    case 'reject':
      return [
        model.end(op.do, op.user, op),
        await status('POST', `/probation/${op.do}/${op.project}/${op.asset}/${op.version}`, op.user),
      ];
    case 'removeVersion':
      return [
        model.remove(op.user, op.project, id(op)),
        await status('DELETE', `/remove/${op.project}/${op.asset}/${op.version}`, op.user),
      ];
    case 'removeAsset':
      return [
        model.remove(op.user, op.project, op.asset),
        await status('DELETE', `/remove/${op.project}/${op.asset}`, op.user),
      ];
    case 'removeProject':
      return [model.remove(op.user, op.project, undefined), await status('DELETE', `/remove/${op.project}`, op.user)];
    case 'unlock':
      return [model.unlock(op.user, op.project), await status('DELETE', `/unlock/${op.project}`, op.user)];
    case 'release':
      return [model.release(op.user, op.project), await status('POST', `/release/${op.project}`, op.user)];
    case 'refreshLatest':
      return [
        model.refresh(op.user, op.project),
        await status('POST', `/refresh/latest/${op.project}/${op.asset}`, op.user),
      ];
    case 'refreshUsage':
      return [model.refresh(op.user, op.project), await status('POST', `/refresh/usage/${op.project}`, op.user)];
  }
}

/** All that the model says of its projects, as the registry would. */
function modelState({ projects }: Model): unknown {
  const state: Record<string, unknown> = {};
  for (const [name, { usage, latest, versions, upload }] of projects) {
    state[name] = {
      usage,
      locked: upload === undefined ? undefined : id(upload),
      latest: Object.fromEntries(latest),
      versions: Object.fromEntries(
        [...versions].map(([version_, { user: who, probation, finish, manifest }]) => [
          version_,
          {
            who,
            probation,
            finished: finish > 0,
            manifest: [...manifest].map(([file_, { content: text, link }]) => [
              file_,
              md5(text),
              text.length,
              link ?? text,
            ]),
          },
        ]),
      ),
    };
  }
  return state;
}

/** The same as it is seen over the wire. */
async function subjectState({ list, read, ask }: Subject): Promise<unknown> {
  const state: Record<string, unknown> = {};
  const json = async (key: string) => {
    const text = await read(key);
    return text === undefined ? undefined : JSON.parse(text);
  };
  for (const folder of await list('')) {
    if (folder.startsWith('..')) continue;
    const name = folder.slice(0, -1);
    const latest: Record<string, string> = {};
    const versions: Record<string, unknown> = {};
    for (const asset_ of (await list(folder)).filter((key) => key.endsWith('/'))) {
      const found = await json(`${asset_}..latest`);
      if (found !== undefined) latest[asset_.slice(folder.length, -1)] = found.version;
      for (const version_ of (await list(asset_)).filter((key) => key.endsWith('/'))) {
        const { upload_user_id: who, upload_finish, on_probation = false } = await json(`${version_}..summary`);
        const manifest: unknown[] = [];
        for (const [file_, { size, md5sum, link }] of Object.entries<{ size: number; md5sum: string; link?: unknown }>(
          await json(`${version_}..manifest`),
        )) {
          // What an upload has sent so far is nobody's business yet.
          const own = upload_finish === undefined ? undefined : await read(version_ + file_);
          manifest.push([file_, md5sum, size, link ?? own]);
        }
        versions[version_.slice(folder.length, -1)] = {
          who,
          probation: on_probation,
          finished: upload_finish !== undefined,
          manifest,
        };
      }
    }
    const lock = JSON.parse((await ask('GET', `/lock/${name}`)).text);
    const { total: usage } = await json(`${folder}..usage`);
    state[name] = { usage, locked: lock.locked ? `${lock.asset}/${lock.version}` : undefined, latest, versions };
  }
  return state;
}

/** Contents of uploads that are not finished are left out on both sides. */
function comparable(state: unknown): unknown {
  return JSON.parse(
    JSON.stringify(state, (_key, value) =>
      value?.finished === false
        ? {
            ...value,
            manifest: value.manifest.map(([name, sum, size, last]: unknown[]) => [
              name,
              sum,
              size,
              typeof last === 'object' ? last : null,
            ]),
          }
        : value,
    ),
  );
}

/** So that no two versions are finished in the same millisecond. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function play(operations: readonly Operation[], storage: Storage): Promise<Set<string>> {
  const model = createModel();
  const subject = await createSubject(storage);
  const done = new Set<string>();
  for (const op of operations) {
    const [expected, actual] = await both(model, subject, op);
    expect(actual, JSON.stringify(op)).toBe(expected);
    expect(comparable(await subjectState(subject)), `after ${JSON.stringify(op)}`).toEqual(
      comparable(modelState(model)),
    );
    if (op.do === 'complete' && actual === 200) await nextMillisecond();
    if (actual === 200 || actual === 0) done.add(op.do);
  }
  return done;
}

const runs = Number(process.env.GYPSUM_MODEL_RUNS ?? 300);

it('does what a registry of plain values does, whatever is asked of it and in whatever order', async () => {
  const done = new Set<string>();
  // A project is there to begin with: without one there is not much to see.
  const begin: Operation = { do: 'create', user: 'admin', project: 'p' };
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 40, size: 'max' }), async (operations) => {
      for (const name of await play([begin, ...operations], memoryStorage())) done.add(name);
    }),
    { numRuns: runs },
  );
  // None of them has only ever been refused.
  expect([...done].sort()).toEqual([
    'abort',
    'approve',
    'complete',
    'create',
    'quota',
    'refreshLatest',
    'refreshUsage',
    'reject',
    'release',
    'removeAsset',
    'removeProject',
    'removeVersion',
    'restart',
    'send',
    'start',
    'unlock',
  ]);
});

it('does so on a disk too', async () => {
  const begin: Operation = { do: 'create', user: 'admin', project: 'p' };
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 30, size: 'max' }), async (operations) => {
      await play([begin, ...operations], await diskStorage(await temporaryFolder()));
    }),
    { numRuns: Math.ceil(runs / 30) },
  );
});
