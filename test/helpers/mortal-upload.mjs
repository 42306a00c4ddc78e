// An upload by a process of its own, which ends it with SIGKILL at the event that it is told.
import { appendFileSync } from 'node:fs';
import { createClient } from '../../dist/src/index.js';

const { context, ref, folder, dieAt, log } = JSON.parse(process.argv[2]);
const client = createClient(context);
let seen = 0;
let started = folder === undefined;

const onEvent = (event) => {
  started ||= event.type === 'upload-started';
  if (!started) return;
  appendFileSync(log, `${JSON.stringify(event)}\n`);
  if (++seen === dieAt) process.kill(process.pid, 'SIGKILL');
};

await (folder === undefined ? client.resumeUpload(ref, { onEvent }) : client.uploadDirectory(ref, folder, { onEvent }));
await client.close();
