// Before each file of `npm run test:public`: its registries are as the public one is.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, type RunnerTestCase, type RunnerTestSuite } from 'vitest';
import { beAsThePublicOne } from './oddities.ts';
import { EXCEPTIONS } from './public-exceptions.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

beforeEach(async ({ task, annotate }) => {
  const exceptions = EXCEPTIONS.filter(({ file }) => file === relative(ROOT, task.file.filepath));
  const names = namesOf(task.file.tasks);
  const stale = exceptions.flatMap(({ tests }) => tests).find((start) => !names.some((name) => name.startsWith(start)));
  if (stale !== undefined) throw new Error(`No test begins with "${stale}" any more: it is no exception.`);
  const met = exceptions.filter(({ tests }) => tests.some((start) => nameOf(task).startsWith(start)));
  for (const { without, why } of met) await annotate(`Without ${without.join(' and ')}: ${why}.`);
  beAsThePublicOne(met.flatMap(({ without }) => without));
});

function namesOf(tasks: RunnerTestSuite['tasks']): string[] {
  return tasks.flatMap((task) => (task.type === 'suite' ? namesOf(task.tasks) : nameOf(task)));
}

function nameOf(task: Readonly<RunnerTestCase>): string {
  const names = [task.name];
  for (let { suite } = task; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  return names.join(' ');
}
