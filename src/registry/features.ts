import { z } from 'zod';
import type { CallOptions } from '../events.ts';
import type { AnswerHeaders } from './answers.ts';
import { readDocument } from './documents.ts';
import type { Read } from './read.ts';

/** No key begins so: the list of them is empty, and its headers are what is wanted. */
const NOTHING = '..nothing/';

/** Asks what a registry can do beside the contract. */
export function askFeatures(
  read: Read,
  origin: string,
  options: CallOptions | undefined,
): Promise<ReadonlySet<string>> {
  const what = `Asking ${origin} what it can do`;
  const query = new URLSearchParams({ prefix: NOTHING });
  return read({ what, path: `/list?${query}` }, options, async (body, headers) => {
    // Whatever else answers there says nothing of what a registry can do.
    await readDocument(body, z.array(z.string()), what);
    return featuresIn(headers);
  });
}

/** Gives what the headers of an answer say that the registry can do. */
export function featuresIn(headers: AnswerHeaders): ReadonlySet<string> {
  const said = [headers['gypsum-features'] ?? []].flat().join(',');
  return new Set(said.split(',').map((feature) => feature.trim()));
}
