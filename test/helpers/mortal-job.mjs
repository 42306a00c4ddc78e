/** Adds a job, runs one or removes one, as the built package does it, in a process that may be killed meanwhile. */
import { addJob } from '../../dist/src/ops/add-job.js';
import { removeJob } from '../../dist/src/ops/remove-job.js';
import { runJob } from '../../dist/src/ops/run-jobs.js';

const [verb, stateDir, name] = process.argv.slice(2);
if (verb === 'add') await addJob(stateDir, { name, schedule: { every: 3_600_000 }, command: ['x'], directory: '/' });
else if (verb === 'run') await runJob(stateDir, name, { command: ['true'] });
else await removeJob(stateDir, name);
