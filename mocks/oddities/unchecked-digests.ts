import { parseMd5 } from '../../src/model/digest.ts';
import { pathFault } from '../../src/model/names.ts';
import { findRoute } from '../../src/server/routes.ts';
import { type Announced, changeManifest, readStart } from './announced.ts';
import { failed, readDocument, withDocument } from './answers.ts';
import { readSlug, unsignedSlug } from './slugs.ts';
import { PRESIGN, type Started } from './started.ts';
import type { Oddity } from './world.ts';

interface Unchecked extends Announced {
  readonly path: string;
  readonly size: number;
  readonly md5sum: string;
}

/** An MD5 may have any form: it is taken at the start, and no presigned URL can be made for it then. */
export const uncheckedDigests: Oddity = (world) => async (request, next) => {
  const { name, parameters = {} } = findRoute(request) ?? {};
  if (name === 'presign' && hasOddDigest(readSlug(parameters.slug ?? ''))) return failed(request, next);
  const start = await readStart(request);
  const odd = start?.files.filter(isUnchecked) ?? [];
  if (start === undefined || odd.length === 0) return next();
  const answer = await next(start.withFiles(start.files.filter((file) => !isUnchecked(file))));
  if (!answer.ok) return answer;
  await changeManifest(world, start.ref, (files) => {
    for (const { path, size, md5sum } of odd) files.set(path, { size, md5sum });
  });
  const started = await readDocument<Started>(answer);
  const urls = odd.map(({ path, md5sum }) => {
    return { path, url: PRESIGN + unsignedSlug({ ...start.ref, path, md5sum }), method: 'presigned' as const };
  });
  return withDocument(answer, { ...started, file_urls: [...started.file_urls, ...urls] });
};

/** Whether its digest alone is what our registry would refuse. */
function isUnchecked(file: Announced): file is Unchecked {
  const { type, path, size, md5sum } = file;
  if (type !== 'simple' && type !== 'dedup') return false;
  return (
    typeof path === 'string' && pathFault(path) === undefined && Number.isInteger(size) && hasOddDigest({ md5sum })
  );
}

function hasOddDigest({ md5sum }: { readonly md5sum?: unknown } = {}): boolean {
  return typeof md5sum === 'string' && parseMd5(md5sum) === undefined;
}
