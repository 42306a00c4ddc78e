import { expect, it, onTestFinished } from 'vitest';
import { inFront } from '../../mocks/faults.ts';
import { createOddities, ODDITY_NAMES } from '../../mocks/oddities.ts';
import { createDocuments } from '../../src/server/documents.ts';
import { diskStorage, githubIdentity, listen, openRegistry } from '../../src/server/index.ts';
import { startGithub } from '../helpers/github-stand-in.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { CREDENTIALS, EXCHANGES } from '../server/conformance/exchanges.ts';
import { createReplayer } from '../server/conformance/replay.ts';

/** What the public registry may do, and did not do while it was recorded. */
const NOT_RECORDED = ['presignedElsewhere', 'expiringUrls', 'oddDates'];

/** What no mock can show, which is given requests whose paths have been put in order. */
const NOT_SHOWN = ['read-dot-segment'];

it('with all that is odd in it, our registry answers the whole recording as the public one did', async () => {
  const data = await tempFolder();
  const registry = await openRegistry({
    data,
    identity: githubIdentity({ url: (await startGithub()).url }),
    admins: ['LTLA', 'jkanche'],
    credentials: CREDENTIALS,
  });
  const storage = await diskStorage(data);
  const recorded = ODDITY_NAMES.filter((name) => !NOT_RECORDED.includes(name));
  const odd = createOddities(Object.fromEntries(recorded.map((name) => [name, true])), {
    ask: (method, path, { token = 'tok-admin', document } = {}) => {
      const headers = { authorization: `Bearer ${token}` };
      const body = document === undefined ? {} : { body: JSON.stringify(document) };
      return registry.fetch(new Request(new URL(path, 'http://gypsum.test'), { method, headers, ...body }));
    },
    storage,
    documents: createDocuments(storage),
    bucket: () => '',
  });
  const listener = await listen((request) => inFront(odd, request, registry.fetch));
  onTestFinished(async () => {
    await listener.close();
    await registry.close();
  });
  const replay = createReplayer(listener.url);
  const different: Record<string, unknown> = {};
  for (const exchange of EXCHANGES) {
    const { differences } = await replay(exchange).catch((error: unknown) => ({ differences: [String(error)] }));
    if (differences.length > 0) different[exchange.id] = differences;
  }
  expect(different).toEqual(Object.fromEntries(NOT_SHOWN.map((id) => [id, expect.anything()])));
});
