import { md5 } from './rig.ts';

/** What the model knows of a file: what it is, or where it leads. */
export interface ModelEntry {
  readonly content: string;
  readonly link?: ModelLink;
}

export interface ModelLink extends ModelRef {
  readonly path: string;
  readonly ancestor?: ModelRef & { readonly path: string };
}

interface ModelRef {
  readonly project: string;
  readonly asset: string;
  readonly version: string;
}

interface ModelVersion {
  readonly user: string;
  probation: boolean;
  finish?: number;
  readonly manifest: Map<string, ModelEntry>;
  readonly arrived: Set<string>;
}

interface ModelAsset {
  latest?: string;
  readonly versions: Map<string, ModelVersion>;
}

export interface ModelUploader {
  readonly id: string;
  readonly asset?: string;
  readonly trusted?: boolean;
}

export interface ModelPermissions {
  owners: readonly string[];
  uploaders: readonly ModelUploader[];
}

interface ModelProject {
  permissions: ModelPermissions;
  baseline: number;
  usage: number;
  lock?: { readonly session: number; readonly asset: string; readonly version: string; readonly user: string };
  readonly assets: Map<string, ModelAsset>;
}

export interface ModelFile {
  readonly path: string;
  readonly type: 'simple' | 'dedup' | 'link';
  readonly content: string;
  readonly target: ModelRef & { readonly path: string };
}

/**
 * What a registry is, in its simplest form: told from the contract, without anything that could be interrupted.
 * Every operation gives the status that it is answered with.
 */
export class Model {
  readonly projects = new Map<string, ModelProject>();
  /** By session: what it was for. Sessions are numbered as they are started, over all projects. */
  readonly sessions: (ModelRef & { readonly sent: readonly string[] })[] = [];
  private clock = 0;

  create(who: string, project: string, permissions: ModelPermissions): number {
    if (who !== 'admin') return 403;
    if (this.projects.has(project)) return 400;
    this.projects.set(project, { permissions, baseline: Number.POSITIVE_INFINITY, usage: 0, assets: new Map() });
    return 200;
  }

  permissions(who: string, project: string, change: Partial<ModelPermissions>): number {
    const found = this.projects.get(project);
    if (found === undefined) return 404;
    if (!isOwner(who, found)) return 403;
    found.permissions = { ...found.permissions, ...change };
    return 200;
  }

  quota(who: string, project: string, baseline: number): number {
    if (who !== 'admin') return 403;
    const found = this.projects.get(project);
    if (found === undefined) return 400;
    found.baseline = baseline;
    return 200;
  }

  start(who: string, ref: ModelRef, files: readonly ModelFile[], onProbation: boolean): number {
    const project = this.projects.get(ref.project);
    if (project === undefined) return 400;
    const trusted = isOwner(who, project) || uploaderOf(who, project, ref)?.trusted;
    if (trusted === undefined) return 403;
    if (project.lock !== undefined) return 403;
    if (this.version(ref) !== undefined) return 400;
    const manifest = this.resolve(ref, files);
    if (manifest === undefined) return 400;
    const sent = [...manifest].filter(([, { link }]) => link === undefined);
    const added = sent.reduce((sum, [, { content }]) => sum + content.length, 0);
    if (project.usage + added >= project.baseline) return 400;
    const asset = project.assets.get(ref.asset) ?? { versions: new Map() };
    project.assets.set(ref.asset, asset);
    asset.versions.set(ref.version, {
      user: who,
      probation: !trusted || onProbation,
      manifest,
      arrived: new Set(),
    });
    project.lock = { session: this.sessions.length, asset: ref.asset, version: ref.version, user: who };
    this.sessions.push({ ...ref, sent: sent.map(([path]) => path) });
    return 200;
  }

  /** Asks where a file is sent, and sends it. */
  put(session: number, path: string, isRight: boolean): number {
    const version = this.uploading(session);
    if (version === undefined) return 403;
    if (!isRight) return 400;
    version.arrived.add(path);
    return 200;
  }

  complete(session: number): number {
    const version = this.uploading(session);
    const ref = this.sessions[session];
    if (version === undefined || ref === undefined) return 403;
    if ([...version.manifest].some(([path, { link }]) => link === undefined && !version.arrived.has(path))) return 400;
    const project = this.required(ref.project);
    version.finish = this.clock++;
    project.usage += ownSize(version);
    if (!version.probation) this.assetOf(ref).latest = ref.version;
    delete project.lock;
    return 200;
  }

  abort(session: number): number {
    const ref = this.sessions[session];
    if (ref === undefined || this.uploading(session) === undefined) return 403;
    this.endUpload(ref.project);
    return 200;
  }

  approve(who: string, ref: ModelRef): number {
    const project = this.projects.get(ref.project);
    if (project === undefined) return 400;
    if (!isOwner(who, project) || project.lock !== undefined) return 403;
    const version = this.version(ref);
    if (!version?.probation || version.finish === undefined) return 400;
    version.probation = false;
    const asset = this.assetOf(ref);
    const latest = asset.latest === undefined ? undefined : asset.versions.get(asset.latest)?.finish;
    if (latest === undefined || version.finish > latest) asset.latest = ref.version;
    return 200;
  }

  reject(who: string, ref: ModelRef): number {
    const project = this.projects.get(ref.project);
    if (project === undefined) return 400;
    if (!isOwner(who, project) && uploaderOf(who, project, ref) === undefined) return 403;
    if (project.lock !== undefined) return 403;
    const version = this.version(ref);
    if (!version?.probation) return 400;
    if (!isOwner(who, project) && version.user !== who) return 400;
    this.dropVersion(ref);
    return 200;
  }

  remove(who: string, { project, asset, version }: Partial<ModelRef> & { project: string }): number {
    if (who !== 'admin') return 403;
    const found = this.projects.get(project);
    if (found === undefined) return asset === undefined ? 200 : 404;
    if (found.lock !== undefined) return 403;
    if (asset === undefined) this.projects.delete(project);
    else if (version !== undefined) this.dropVersion({ project, asset, version });
    else {
      for (const name of found.assets.get(asset)?.versions.keys() ?? []) {
        this.dropVersion({ project, asset, version: name });
      }
    }
    return 200;
  }

  unlock(who: string, project: string): number {
    if (who !== 'admin') return 403;
    delete this.projects.get(project)?.lock;
    return 200;
  }

  release(who: string, project: string): number {
    const found = this.projects.get(project);
    if (found === undefined) return 404;
    if (!isOwner(who, found) && found.lock?.user !== who) return 403;
    this.endUpload(project);
    return 200;
  }

  refreshLatest(who: string, { project, asset }: Omit<ModelRef, 'version'>): number {
    const status = this.refresh(who, project);
    const found = this.projects.get(project)?.assets.get(asset);
    if (status === 200 && found !== undefined) setLatest(found);
    return status;
  }

  /** The usage is right always: to compute it again changes nothing. */
  refresh(who: string, project: string): number {
    if (who !== 'admin') return 403;
    const found = this.projects.get(project);
    if (found === undefined) return 400;
    return found.lock === undefined ? 200 : 403;
  }

  /** Finished versions that are on probation. */
  onProbation(): ModelRef[] {
    const found: ModelRef[] = [];
    for (const [project, { assets }] of this.projects) {
      for (const [asset, { versions }] of assets) {
        for (const [version, { finish, probation }] of versions) {
          if (probation && finish !== undefined) found.push({ project, asset, version });
        }
      }
    }
    return found;
  }

  /** All objects, by key: documents as values, files as text. Times stand as `true`. */
  visible(): Map<string, unknown> {
    const seen = new Map<string, unknown>();
    for (const [name, project] of this.projects) {
      seen.set(`${name}/..permissions`, project.permissions);
      seen.set(`${name}/..quota`, project.baseline);
      seen.set(`${name}/..usage`, { total: project.usage });
      if (project.lock !== undefined) {
        seen.set(`${name}/..LOCK`, { asset: project.lock.asset, version: project.lock.version });
      }
      for (const [asset, { latest, versions }] of project.assets) {
        if (latest !== undefined) seen.set(`${name}/${asset}/..latest`, { version: latest });
        for (const [version, content] of versions) seeVersion(seen, `${name}/${asset}/${version}`, content);
      }
    }
    return seen;
  }

  private resolve(ref: ModelRef, files: readonly ModelFile[]): Map<string, ModelEntry> | undefined {
    const manifest = new Map<string, ModelEntry>();
    const twins = new Map<string, ModelEntry & { path: string }>();
    for (const { path, type, content } of files) {
      if (type !== 'simple') continue;
      manifest.set(path, { content });
      twins.set(content, { content, path });
    }
    const latest = this.projects.get(ref.project)?.assets.get(ref.asset)?.latest;
    const before = latest === undefined ? undefined : this.version({ ...ref, version: latest });
    const linkTo = (target: ModelRef & { path: string }, { content, link }: ModelEntry): ModelEntry => {
      const { ancestor, ...next } = link ?? {};
      const root = link && ((ancestor ?? next) as ModelRef & { path: string });
      return { content, link: { ...target, ...(root && { ancestor: root }) } };
    };
    for (const { path, type, content } of files) {
      if (type !== 'dedup') continue;
      const last = [...(before?.manifest ?? [])].filter(([, entry]) => entry.content === content).at(-1);
      const equal = last && this.isThere(last[1]) ? last : undefined;
      const twin = twins.get(content);
      if (equal !== undefined && latest !== undefined) {
        manifest.set(path, linkTo({ ...ref, version: latest, path: equal[0] }, equal[1]));
      } else if (twin !== undefined) manifest.set(path, linkTo({ ...ref, path: twin.path }, { content }));
      else {
        manifest.set(path, { content });
        twins.set(content, { content, path });
      }
    }
    for (const { path, type, target } of files) {
      if (type !== 'link') continue;
      const version = this.version(target);
      const entry = version?.manifest.get(target.path);
      if (version?.finish === undefined || version.probation || entry === undefined) return undefined;
      manifest.set(path, linkTo(target, entry));
    }
    return manifest;
  }

  /** Whether what an entry leads to is still the file that it was. */
  private isThere({ content, link }: ModelEntry): boolean {
    if (link === undefined) return true;
    const source = link.ancestor ?? link;
    const version = this.version(source);
    const file = version?.finish === undefined || version.probation ? undefined : version.manifest.get(source.path);
    return file?.content === content && file.link === undefined;
  }

  private uploading(session: number): ModelVersion | undefined {
    const ref = this.sessions[session];
    if (ref === undefined || this.projects.get(ref.project)?.lock?.session !== session) return undefined;
    return this.version(ref);
  }

  private endUpload(project: string): void {
    const found = this.required(project);
    if (found.lock === undefined) return;
    const { asset, version } = found.lock;
    delete found.lock;
    this.dropVersion({ project, asset, version });
  }

  private dropVersion(ref: ModelRef): void {
    const project = this.required(ref.project);
    const asset = project.assets.get(ref.asset);
    const version = asset?.versions.get(ref.version);
    if (asset === undefined || version === undefined) return;
    if (version.finish !== undefined) project.usage -= ownSize(version);
    asset.versions.delete(ref.version);
    if (asset.latest === ref.version) setLatest(asset);
    if (asset.versions.size === 0) project.assets.delete(ref.asset);
  }

  private version({ project, asset, version }: ModelRef): ModelVersion | undefined {
    return this.projects.get(project)?.assets.get(asset)?.versions.get(version);
  }

  private required(project: string): ModelProject {
    const found = this.projects.get(project);
    if (found === undefined) throw new Error(`The model has no project ${project}.`);
    return found;
  }

  private assetOf({ project, asset }: ModelRef): ModelAsset {
    const found = this.required(project).assets.get(asset);
    if (found === undefined) throw new Error(`The model has no asset ${asset}.`);
    return found;
  }
}

function setLatest(asset: ModelAsset): void {
  delete asset.latest;
  let last = -1;
  for (const [name, { finish = -1, probation }] of asset.versions) {
    if (probation || finish <= last) continue;
    last = finish;
    asset.latest = name;
  }
}

function seeVersion(seen: Map<string, unknown>, prefix: string, version: ModelVersion): void {
  const { user, finish, probation, manifest, arrived } = version;
  seen.set(`${prefix}/..summary`, {
    upload_user_id: user,
    upload_start: true,
    ...(finish !== undefined && { upload_finish: true }),
    ...((finish === undefined || probation) && { on_probation: probation }),
  });
  const entries: Record<string, unknown> = {};
  const links = new Map<string, Record<string, unknown>>();
  for (const [path, { content, link }] of manifest) {
    entries[path] = { size: content.length, md5sum: md5(content), ...(link && { link }) };
    if (arrived.has(path)) seen.set(`${prefix}/${path}`, content);
    if (link === undefined) continue;
    const key = `${prefix}/${path}`.replace(/[^/]*$/, '..links');
    links.set(key, { ...links.get(key), [path.slice(path.lastIndexOf('/') + 1)]: link });
  }
  seen.set(`${prefix}/..manifest`, entries);
  for (const [key, names] of links) seen.set(key, names);
}

function ownSize({ manifest }: ModelVersion): number {
  let sum = 0;
  for (const { content, link } of manifest.values()) sum += link === undefined ? content.length : 0;
  return sum;
}

function isOwner(who: string, { permissions }: ModelProject): boolean {
  return who === 'admin' || permissions.owners.includes(who);
}

function uploaderOf(
  who: string,
  { permissions }: ModelProject,
  ref: ModelRef,
): { readonly trusted: boolean } | undefined {
  const entry = permissions.uploaders.find(({ id }) => id === who);
  if (entry === undefined || (entry.asset !== undefined && entry.asset !== ref.asset)) return undefined;
  return { trusted: entry.trusted === true };
}
