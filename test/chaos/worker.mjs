// Saves and clones in a process of its own, writes down all that happens, and dies at the event that it is told.
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { options, tasks, dieAt, locksLie, log } = JSON.parse(process.argv[2]);

if (locksLie) {
  const lockfile = createRequire(import.meta.url)('proper-lockfile');
  lockfile.lock = async () => async () => {};
  const { lock } = await import('proper-lockfile');
  if (lock !== lockfile.lock) throw new Error('the locks do not lie');
}

const { createClient } = await import('../../dist/src/index.js');
const note = (what) => appendFileSync(log, `${JSON.stringify(what)}\n`);
let seen = 0;
const onEvent = ({ type, what, task, files, bytes, movedTo, path, error }) => {
  note({ type, what, task, files, bytes, movedTo, path, reason: error?.message });
  if (++seen === dieAt) process.kill(process.pid, 'SIGKILL');
};

const client = createClient(options);
for (const { ref, destination } of tasks) {
  const result =
    destination === undefined
      ? await client.saveVersion(ref, { onEvent })
      : (await client.cloneVersion(ref, destination, { merge: true, onEvent })).saved;
  note({ type: 'done', fetched: result.fetched.contents });
}
await client.close();
