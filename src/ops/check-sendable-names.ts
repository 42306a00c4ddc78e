import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';

const BEYOND_LATIN1 = /[^\0-\xff]/;

/** What a JavaScript object does not keep under this name is lost. */
const LOST = '__proto__';

type Named = readonly { readonly path: string }[];

/**
 * Throws `invalid-tree` if a registry cannot take a file under its name. The public one fails in the middle of a start for
 * content under names beyond Latin-1, so that it must not be tried, and forgets a file called `__proto__`; one that can take
 * any name says so.
 */
export async function checkSendableNames(
  ctx: Context,
  ref: VersionRef,
  files: Named,
  links: Named,
  call: CallOptions,
): Promise<void> {
  const beyond = files.find(({ path }) => BEYOND_LATIN1.test(keys.file({ ...ref, path })));
  const lost = [...files, ...links].find(({ path }) => path === LOST);
  const file = beyond ?? lost;
  if (file === undefined || (await ctx.registry.features(call)).has('unicode')) return;
  const name = showText(keys.file({ ...ref, path: file.path }));
  const why = beyond === undefined ? 'it would be lost from the manifest' : 'it has characters beyond Latin-1';
  throw new GypsumError('invalid-tree', `${ctx.registry.url} cannot take "${name}": ${why}.`, {
    hint: `Nothing was started. Give the file another name${beyond === undefined ? '' : '; links may have any'}.`,
    details: { path: file.path },
  });
}
