import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { diskStorage, type Storage } from '../../src/server/index.ts';
import { md5 } from './rig.ts';

interface Ref {
  project: string;
  asset: string;
  version: string;
  path: string;
}

interface Entry {
  size: number;
  md5sum: string;
  link?: Ref & { ancestor?: Ref };
}

type Manifest = Record<string, Entry>;

interface Summary {
  upload_start: string;
  upload_finish?: string;
  on_probation?: boolean;
}

export interface InvariantOptions {
  /** Versions whose lock an administrator took away: `project/asset/version`. */
  abandoned?: readonly string[];
  /** Files may be arriving, and uploads and removals going on. @default false */
  busy?: boolean;
}

/**
 * Throws, with all that is wrong, unless a registry's storage, or the folder of one, is in a state that clients may
 * find it in. It knows the format from the contract, and shares no code with the registry.
 */
export async function checkInvariants(
  at: Storage | string,
  { abandoned = [], busy = false }: InvariantOptions = {},
): Promise<void> {
  const storage = typeof at === 'string' ? await diskStorage(at, { readOnly: true }) : at;
  const objects = new Map<string, string>();
  for await (const key of storage.list('', { recursive: true })) {
    const object = await storage.get(key);
    if (object !== undefined) objects.set(key, await text(object.body));
  }
  const faults = faultsOf(objects, abandoned, busy);
  if (typeof at === 'string' && !busy) {
    const arriving = await readdir(join(at, 'incoming'));
    if (arriving.length > 0) faults.push(`incoming holds ${arriving.length} files`);
  }
  if (faults.length > 0) throw new Error(`The registry is in an impossible state:\n${faults.join('\n')}`);
}

function faultsOf(objects: ReadonlyMap<string, string>, abandoned: readonly string[], busy: boolean): string[] {
  const faults: string[] = [];
  const read = <T>(key: string) => {
    const content = objects.get(key);
    return content === undefined ? undefined : (JSON.parse(content) as T);
  };
  const manifestOf = ({ project, asset, version }: Ref) => read<Manifest>(`${project}/${asset}/${version}/..manifest`);

  /** Whether what a link leads to was removed, and another version has its name. */
  const isNewer = ({ project, asset, version }: Ref, { upload_start: start }: Summary) =>
    (read<Summary>(`${project}/${asset}/${version}/..summary`)?.upload_start ?? '') > start;

  const versions = new Set<string>();
  const assets = new Set<string>();
  const projects = new Set<string>();
  for (const key of objects.keys()) {
    const [project = '', asset = '', version = '', ...rest] = key.split('/');
    if (project === '..logs') continue;
    projects.add(project);
    if (asset.startsWith('..')) {
      if (version !== '') faults.push(`${key} lies below a document`);
      if (!['..permissions', '..quota', '..usage', '..LOCK'].includes(asset)) faults.push(`${key} is no document`);
      continue;
    }
    assets.add(`${project}/${asset}`);
    if (version.startsWith('..')) {
      if (version !== '..latest' || rest.length > 0) faults.push(`${key} is no document`);
      continue;
    }
    versions.add(`${project}/${asset}/${version}`);
  }

  const uploading = new Set<string>();
  for (const project of projects) {
    const lock = read<Ref>(`${project}/..LOCK`);
    for (const document of ['..permissions', '..quota', '..usage']) {
      if (!objects.has(`${project}/${document}`)) faults.push(`${project} has no ${document}`);
    }
    if (lock !== undefined) uploading.add(`${project}/${lock.asset}/${lock.version}`);
  }

  const used = new Map<string, number>();
  const finished = new Map<string, { name: string; finish: string }[]>();
  for (const version of versions) {
    const [project = '', asset = '', name = ''] = version.split('/');
    const summary = read<Summary>(`${version}/..summary`);
    if (summary?.upload_finish === undefined) {
      if (!uploading.has(version) && !abandoned.includes(version)) faults.push(`${version} is left unfinished`);
      continue;
    }
    const manifest = read<Manifest>(`${version}/..manifest`);
    if (manifest === undefined) {
      faults.push(`${version} is finished and has no manifest`);
      continue;
    }
    faults.push(...contentFaults(objects, version, manifest));
    for (const [path, { link, size, md5sum }] of Object.entries(manifest)) {
      if (link === undefined) used.set(project, (used.get(project) ?? 0) + size);
      else if (!isNewer(link, summary)) {
        faults.push(...linkFaults(`${version}/${path}`, { size, md5sum }, link, manifestOf));
      }
    }
    if (summary.on_probation) continue;
    const key = `${project}/${asset}`;
    finished.set(key, [...(finished.get(key) ?? []), { name, finish: summary.upload_finish }]);
  }

  if (busy) return faults;
  for (const version of uploading) {
    const summary = read<Summary>(`${version}/..summary`);
    if (summary === undefined) faults.push(`${version} holds a lock and is no upload`);
    else if (summary.upload_finish !== undefined) faults.push(`${version} holds a lock and is finished`);
  }
  for (const project of projects) {
    const total = read<{ total: number }>(`${project}/..usage`)?.total;
    const own = used.get(project) ?? 0;
    if (total !== own) faults.push(`${project}/..usage says ${total}, and the versions have ${own}`);
  }
  for (const asset of assets) {
    const latest = read<{ version: string }>(`${asset}/..latest`)?.version;
    const candidates = finished.get(asset) ?? [];
    const last = candidates.reduce((time, { finish }) => (finish > time ? finish : time), '');
    const isRight =
      candidates.length === 0
        ? latest === undefined
        : candidates.some(({ name, finish }) => name === latest && finish === last);
    if (!isRight) faults.push(`${asset}/..latest says ${latest} of ${JSON.stringify(candidates)}`);
  }
  return faults;
}

/** What is wrong with the objects of a finished version. */
function contentFaults(objects: ReadonlyMap<string, string>, version: string, manifest: Manifest): string[] {
  const faults: string[] = [];
  const expected = new Set([`${version}/..manifest`, `${version}/..summary`]);
  const links = new Map<string, Record<string, unknown>>();
  for (const [path, { size, md5sum, link }] of Object.entries(manifest)) {
    const key = `${version}/${path}`;
    if (link !== undefined) {
      const slash = key.lastIndexOf('/');
      const document = `${key.slice(0, slash)}/..links`;
      links.set(document, Object.assign(links.get(document) ?? Object.create(null), { [key.slice(slash + 1)]: link }));
      continue;
    }
    expected.add(key);
    const content = objects.get(key);
    if (content === undefined) faults.push(`${key} is not there`);
    else if (Buffer.byteLength(content) !== size) faults.push(`${key} has another size`);
    else if (md5(content) !== md5sum.toLowerCase()) faults.push(`${key} has other content`);
  }
  for (const [key, wanted] of links) {
    expected.add(key);
    const actual = JSON.parse(objects.get(key) ?? 'null') as unknown;
    if (!isDeepStrictEqual(actual, { ...wanted })) faults.push(`${key} does not have the manifest's links`);
  }
  for (const key of objects.keys()) {
    if (key.startsWith(`${version}/`) && !expected.has(key)) faults.push(`${key} is not of the manifest`);
  }
  return faults;
}

/** What is wrong with a link whose target is still there. */
function linkFaults(
  key: string,
  { size, md5sum }: Entry,
  link: Ref & { ancestor?: Ref },
  manifestOf: (ref: Ref) => Manifest | undefined,
): string[] {
  const target = manifestOf(link)?.[link.path];
  if (target === undefined) return manifestOf(link) === undefined ? [] : [`${key} links to what its version has not`];
  const faults: string[] = [];
  if (target.size !== size || target.md5sum !== md5sum) faults.push(`${key} is not what it links to`);
  const { ancestor, ...next } = target.link ?? {};
  const wanted = target.link === undefined ? undefined : (ancestor ?? next);
  if (!isDeepStrictEqual(link.ancestor, wanted)) faults.push(`${key} has a wrong ancestor`);
  return faults;
}
