import { createReadStream } from 'node:fs';
import { GypsumError } from '../../errors.ts';
import { fsPath } from '../../model/local-path.ts';
import { findInTree, nameInTree } from '../../ops/find-in-tree.ts';
import { listTree, type TreeListing } from '../../ops/list-tree.ts';
import type { Command } from '../command.ts';
import { hexdump } from '../hexdump.ts';
import { showListing } from '../listing.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';

interface Options {
  readonly hexdump?: boolean;
}

export const cat: Command<TreeListing | undefined, Options> = {
  usage: `cat ${TREE_ARGUMENT}`,
  summary: 'Print a file of a version or a local folder, fetched if need be; of a folder, its list',
  example: 'gypsum cat my-project/my-asset/v1:/table.csv',
  flags: [{ flags: '-x, --hexdump', description: 'print the bytes of a file as numbers' }],
  async run(call) {
    const { tree, path, place } = await openNamed(call);
    const { path: at, entry } = findInTree(tree, path);
    if (entry.type === 'directory' || call.json) return listTree(tree, path);
    if (entry.type !== 'file') {
      throw new GypsumError('invalid-argument', `${nameInTree(tree, path)} is no file.`, { details: { path } });
    }
    const bytes = createReadStream(fsPath(await place(at)), { signal: call.signal });
    for await (const chunk of call.options.hexdump ? hexdump(entry.size, bytes) : bytes) {
      if (!(await call.pipe(chunk))) break;
    }
    return undefined;
  },
  human: (listing, call) => (listing === undefined ? '' : showListing(listing, call)),
};
