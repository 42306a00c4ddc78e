import { JOB_SETTINGS, type JobSettings } from '../model/job-settings.ts';

/** Gives the settings that a job keeps from where it is added. An empty one counts as not set. */
export function jobSettings(environment = process.env): JobSettings {
  return Object.fromEntries(
    JOB_SETTINGS.flatMap((name) => {
      const value = environment[name] || undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Gives what jobs have in their environment beside their settings; what they write down is where they are written down. */
export function jobEnvironment(stateDir: string, environment = process.env): NodeJS.ProcessEnv {
  return { ...environment, GYPSUM_STATE_DIR: stateDir };
}
