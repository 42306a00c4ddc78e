import type { ManifestEntry } from '../../src/model/manifest.ts';
import { type Announced, changeManifest, readStart } from './announced.ts';
import type { Oddity } from './world.ts';

const PROTO = '__proto__';

/**
 * What every JavaScript object inherits is taken for a file: a link to `toString` is accepted, and has neither size nor
 * MD5. A file called `__proto__` is taken, and vanishes from the manifest.
 */
export const prototypeNames: Oddity = (world) => async (request, next) => {
  const { documents } = world;
  const start = await readStart(request);
  if (start === undefined) return next();
  const inherited = new Map<string, ManifestEntry>();
  const others: Announced[] = [];
  for (const file of start.files) {
    if (await isInherited(file)) inherited.set(String(file.path), { link: file.link } as unknown as ManifestEntry);
    else others.push(file);
  }
  const answer = await next(inherited.size > 0 ? start.withFiles(others) : request);
  const vanishes = start.files.some(({ path }) => path === PROTO);
  if (!answer.ok || (inherited.size === 0 && !vanishes)) return answer;
  await changeManifest(world, start.ref, (files) => {
    for (const [path, entry] of inherited) files.set(path, entry);
    files.delete(PROTO);
  });
  return answer;

  async function isInherited({ type, link }: Announced): Promise<boolean> {
    if (type !== 'link' || typeof link !== 'object' || link === null) return false;
    const { project = '', asset = '', version = '', path = '' } = link as Readonly<Record<string, string>>;
    const manifest = await documents.manifest({ project, asset, version });
    return manifest !== undefined && !manifest.has(path) && path in {};
  }
};
