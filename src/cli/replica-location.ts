import { GypsumError } from '../errors.ts';
import { type AssetRef, formatRef, parseRef, type Ref } from '../model/refs.ts';
import { ASSET_PREFIX, assetName } from '../ops/asset-name.ts';

/** What is replicated to what. */
export type Replicated =
  | { readonly from: 'folder'; readonly source: string; readonly to: 'folder'; readonly destination: string }
  | { readonly from: 'asset'; readonly source: Ref; readonly to: 'folder'; readonly destination: string }
  | { readonly from: 'folder'; readonly source: string; readonly to: 'asset'; readonly destination: AssetRef };

/** Reads two locations, each a local folder or `gypsum:project/asset`, the first also with a version; or throws `invalid-argument`. */
export function parseReplicated(source: string, destination: string): Replicated {
  const [from, to] = [parseAsset(source), parseAsset(destination)];
  if (from !== undefined && to !== undefined) {
    throw new GypsumError('invalid-argument', 'No asset is replicated to another one.', {
      hint: 'Have one of them be a folder.',
    });
  }
  if (from !== undefined) return { from: 'asset', source: from, to: 'folder', destination };
  if (to === undefined) return { from: 'folder', source, to: 'folder', destination };
  const { version, ...asset } = to;
  if (version === undefined) return { from: 'folder', source, to: 'asset', destination: asset };
  throw new GypsumError('invalid-argument', `A version never changes: ${formatRef(to)}.`, {
    hint: `Name the asset, of which the next version is made: ${assetName(asset)}`,
  });
}

function parseAsset(location: string): Ref | undefined {
  return location.startsWith(ASSET_PREFIX) ? parseRef(location.slice(ASSET_PREFIX.length)) : undefined;
}

/** Throws `invalid-argument` for flags that mean nothing for what is replicated to what. */
export function checkFlags(
  { from, to }: Replicated,
  flags: { readonly [Flag in 'checksum' | 'fsync' | 'followLinks' | 'requireEmpty' | 'settle']?: unknown },
): void {
  const wrong = [
    ...(to === 'asset' ? (['checksum', 'fsync', 'requireEmpty'] as const) : (['settle'] as const)),
    ...(from === 'asset' ? (['followLinks'] as const) : []),
  ].find((flag) => flags[flag] !== undefined && flags[flag] !== false);
  if (wrong === undefined) return;
  const name = `--${wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new GypsumError('invalid-argument', `${name} means nothing from ${A[from]} to ${A[to]}.`, {
    hint: 'Leave it out.',
  });
}

const A = { folder: 'a folder', asset: 'an asset' } as const;
