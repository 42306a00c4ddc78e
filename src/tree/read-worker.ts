import { parentPort, workerData } from 'node:worker_threads';
import { placeIn } from '../model/local-path.ts';
import { joinPath, parentPath } from '../model/tree.ts';
import { claim, packFolders, type ReadTask, type ReadWork } from './packed-folders.ts';
import { isNear } from './places.ts';
import { lookIfThere, readReplicaEntry } from './read-entry.ts';
import type { ReplicaEntry } from './replica-entry.ts';
import { readChildren } from './walk.ts';

/** The main program of a worker thread that reads folders of a tree, each by its own, as far as they are there. */

const { root, claims }: ReadWork = workerData;

/** Whether paths lead to folders, and through no symlinks. */
const folders = new Map([['', true]]);

/** Gives what a folder holds; nothing where anything is in the way: whoever asked reads it himself, and learns what. */
function read(path: string): ReplicaEntry[] | undefined {
  try {
    if (!isFolder(path)) return undefined;
    return readChildren(placeIn(root, path)).map(({ name }) => {
      const below = joinPath(path, name);
      if (!isNear(root, below)) throw new Error('it lies too deep');
      const place = placeIn(root, below);
      const stats = lookIfThere(place);
      if (stats === undefined) throw new Error('it vanished');
      return readReplicaEntry(place, below, stats);
    });
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  let known = folders.get(path);
  if (known === undefined) {
    known =
      isFolder(parentPath(path)) && isNear(root, path) && lookIfThere(placeIn(root, path))?.isDirectory() === true;
    folders.set(path, known);
  }
  return known;
}

parentPort?.on('message', ({ at, paths }: ReadTask) => {
  if (!claim(claims, at)) return;
  const packed = packFolders(paths.map(read));
  parentPort?.postMessage({ at, packed }, [packed.modes.buffer, packed.sizes.buffer, packed.mtimes.buffer]);
});
parentPort?.postMessage('ready');
