import { type Announced, readStart } from './announced.ts';
import type { Oddity } from './world.ts';

/**
 * Files are deduplicated against the manifest of the latest version alone: equal ones of one upload are all sent, and what
 * is found becomes a link, also where the latest version has nothing but a link to what is gone.
 */
export const latestDedup: Oddity =
  ({ documents }) =>
  async (request, next) => {
    const start = await readStart(request);
    if (start === undefined) return next();
    const { project, asset } = start.ref;
    const latest = await documents.latest({ project, asset });
    const version = { project, asset, version: latest?.version ?? '' };
    const manifest = latest && (await documents.manifest(version));
    const known = new Map([...(manifest ?? [])].map(([path, entry]) => [keyOf(entry), path]));
    // A latest version that is gone is looked for all the same, and the start refused.
    const isGone = latest !== undefined && manifest === undefined;
    const isDedup = (file: Announced) => file.type === 'dedup';
    const found = start.files.filter(isDedup).map((file) => {
      const path = isGone ? file.path : known.get(keyOf(file));
      if (path === undefined) return { ...file, type: 'simple' };
      return { type: 'link', path: file.path, link: { ...version, path } };
    });
    return next(start.withFiles([...start.files.filter((file) => !isDedup(file)), ...found]));
  };

function keyOf({ md5sum, size }: { readonly md5sum?: unknown; readonly size?: unknown }): string {
  return JSON.stringify([md5sum, size]);
}
