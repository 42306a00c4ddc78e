import { availableParallelism } from 'node:os';
import { fsPath } from '../model/local-path.ts';
import { parentPath } from '../model/tree.ts';
import { type LinkThread, startLinkThread } from './link-thread.ts';
import type { MakeStep, SymlinkTo } from './step.ts';
import type { Way } from './way.ts';

/** Makes a symlink where nothing is. */
export interface LinkStep extends MakeStep {
  readonly after: SymlinkTo;
}

/** What makes links one by one, and hears of each that was made. */
export interface LinkMaker {
  make(step: LinkStep): Promise<void>;
  note(step: LinkStep): void;
  /** Whether it is time for a pause, which throws where the work is to be ended. */
  isDue(): boolean;
  pause(): Promise<void>;
}

/** From so many links on, a second thread pays: to start it takes 30 ms, in which one makes 700. */
const MANY = 5_000;

/** How many links the thread is given at once: those of 20 ms. */
const LIST = 500;

/** Whether it pays to have many links made by two threads. */
export function areMany(links: readonly LinkStep[]): boolean {
  return links.length >= MANY && availableParallelism() > 1;
}

/**
 * Makes links, in folders that are there, on two threads, each in a folder of its own, since the kernel makes one link at a time in
 * a folder. 100,000 links take 1.8 s in place of 2.8.
 *
 * Ends when both threads have, also by failing: then every link that was made has been noted. The way to what the thread is given is
 * looked at when it is given, which is 40 ms before its turn.
 */
export async function makeLinks(way: Way, links: readonly LinkStep[], maker: LinkMaker): Promise<void> {
  const folders = eachFolder(links);
  const thread = await startLinkThread();
  const given = new Set<Promise<void>>();
  const left: LinkStep[] = [];
  let theirs: readonly LinkStep[] = [];
  let at = 0;

  const give = (to: LinkThread, list: readonly LinkStep[]) => {
    const places = list.map(({ path }) => fsPath(way.to(path)));
    const texts = list.map(({ after }) => fsPath(after.target));
    const one = to.make({ places, texts }).then((made) => {
      for (const step of list.slice(0, made)) maker.note(step);
      left.push(...list.slice(made));
      given.delete(one);
    });
    given.add(one);
  };
  const feed = () => {
    while (thread !== undefined && thread.waiting() < 2) {
      if (at >= theirs.length) [theirs, at] = [folders.next().value ?? [], 0];
      if (theirs.length === 0) return;
      give(thread, theirs.slice(at, at + LIST));
      at += LIST;
    }
  };
  const pause = async () => {
    await maker.pause();
    feed();
    // What the thread could not make.
    for (let step = left.shift(); step !== undefined; step = left.shift()) await makeHere(step);
  };
  const makeHere = async (step: LinkStep) => {
    await maker.make(step);
    maker.note(step);
    if (maker.isDue()) await pause();
  };

  try {
    feed();
    for (const folder of folders) {
      for (const [n, step] of folder.entries()) {
        if (n % 64 === 0) feed();
        await makeHere(step);
      }
    }
    while (given.size > 0) {
      feed();
      await Promise.race(given);
      await pause();
    }
    for (const step of [...left.splice(0), ...theirs.slice(at)]) await makeHere(step);
  } finally {
    await thread?.stop();
    await Promise.all(given);
  }
}

/** Gives links of one folder that follow each other, one folder after the other. */
function* eachFolder(links: readonly LinkStep[]): Generator<LinkStep[], undefined> {
  for (let from = 0; from < links.length; ) {
    const folder = parentPath(links[from]?.path ?? '');
    let to = from + 1;
    while (to < links.length && parentPath(links[to]?.path ?? '') === folder) to++;
    yield links.slice(from, to);
    from = to;
  }
}
