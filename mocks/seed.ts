import { createHash } from 'node:crypto';
import { keys } from '../src/model/keys.ts';
import { parseVersionRef } from '../src/model/refs.ts';

/** What a file of a seeded version is: its content, or a link `project/asset/version:/path`. */
export type SeedFile = string | Uint8Array | { readonly link: string };

export interface Seed {
  /** What `POST /create/{project}` takes; projects of versions are made in any case. */
  readonly projects?: Readonly<Record<string, { permissions?: unknown; quota?: unknown }>>;
  /** Files by path, by `project/asset/version`, published in this order. */
  readonly versions?: Readonly<Record<string, Readonly<Record<string, SeedFile>>>>;
}

interface Started {
  readonly file_urls: readonly { path: string; url: string }[];
  readonly complete_url: string;
  readonly session_token: string;
}

/** Sends a request to the registry that is seeded; the path is relative to its base. */
type Send = (method: string, path: string, token: string | undefined, init?: RequestInit) => Promise<Response>;

/** Publishes projects and versions through a registry's own routes; throws what the registry refuses. */
export async function publishSeed({ projects = {}, versions = {} }: Seed, send: Send, token: string): Promise<void> {
  const names = new Set([
    ...Object.keys(projects),
    ...Object.keys(versions).map((ref) => parseVersionRef(ref).project),
  ]);
  for (const project of names) {
    const isAsked = Object.hasOwn(projects, project);
    const exists = await send('HEAD', `/file/${encodeURIComponent(keys.permissions(project))}`, undefined);
    if (exists.ok && !isAsked) continue;
    await post(send, `/create/${encodeURIComponent(project)}`, token, isAsked ? projects[project] : {});
  }
  for (const [ref, files] of Object.entries(versions))
    await publishVersion(ref, new Map(Object.entries(files)), send, token);
}

async function publishVersion(
  ref: string,
  files: ReadonlyMap<string, SeedFile>,
  send: Send,
  token: string,
): Promise<void> {
  const { project, asset, version } = parseVersionRef(ref);
  const names = [project, asset, version].map(encodeURIComponent).join('/');
  const announced = [...files].map(([path, file]) => announce(path, file));
  const answer = await post(send, `/upload/start/${names}`, token, { files: announced });
  const started = (await answer.json()) as Started;
  for (const { path, url } of started.file_urls) {
    const file = files.get(path);
    const address = (await (await post(send, url, started.session_token)).json()) as {
      url: string;
      md5sum_base64: string;
    };
    const headers = { 'content-md5': address.md5sum_base64 };
    await check(await send('PUT', address.url, undefined, { headers, body: content(file) }));
  }
  await post(send, `/upload/complete/${names}`, started.session_token);
}

function announce(path: string, file: SeedFile) {
  if (typeof file === 'object' && 'link' in file) return { type: 'link', path, link: parseFileRef(file.link) };
  const bytes = content(file);
  return { type: 'simple', path, size: bytes.byteLength, md5sum: createHash('md5').update(bytes).digest('hex') };
}

function parseFileRef(text: string) {
  const colon = text.indexOf(':/');
  if (colon === -1) throw new Error(`"${text}" is not of the form project/asset/version:/path.`);
  return { ...parseVersionRef(text.slice(0, colon)), path: text.slice(colon + 2) };
}

function content(file: SeedFile | undefined): Uint8Array<ArrayBuffer> {
  if (typeof file === 'string') return new Uint8Array(Buffer.from(file));
  if (file instanceof Uint8Array) return new Uint8Array(file);
  throw new Error('The registry asks for the content of a file that has none.');
}

async function post(send: Send, path: string, token: string, body?: unknown): Promise<Response> {
  return check(await send('POST', path, token, body === undefined ? {} : { body: JSON.stringify(body) }));
}

async function check(answer: Response): Promise<Response> {
  if (!answer.ok) throw new Error(`The seed is refused: ${await answer.text()}`);
  return answer;
}
