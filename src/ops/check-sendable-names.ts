import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';

const BEYOND_LATIN1 = /[^\0-\xff]/;

/**
 * Throws `invalid-tree` if a registry cannot take the content of a file under its name. The public one fails in the
 * middle of a start for names beyond Latin-1, so that it must not be tried; one that can says so.
 */
export async function checkSendableNames(
  ctx: Context,
  ref: VersionRef,
  files: readonly { readonly path: string }[],
  call: CallOptions,
): Promise<void> {
  const file = files.find(({ path }) => BEYOND_LATIN1.test(keys.file({ ...ref, path })));
  if (file === undefined || (await ctx.registry.features(call)).has('unicode')) return;
  const name = showText(keys.file({ ...ref, path: file.path }));
  throw new GypsumError(
    'invalid-tree',
    `${ctx.registry.url} cannot take "${name}": it has characters beyond Latin-1.`,
    {
      hint: 'Nothing was started. Give the file another name; links may have any.',
      details: { path: file.path },
    },
  );
}
