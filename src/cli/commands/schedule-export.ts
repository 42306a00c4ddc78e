import { join } from 'node:path';
import { stateDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { ownCommand } from '../own-command.ts';
import { crontabLine, launchdList, type ServiceFile, systemdUnit } from '../service-files.ts';

interface Options {
  systemd?: boolean;
  crontab?: boolean;
  launchd?: boolean;
}

export const scheduleExport: Command<ServiceFile, Options> = {
  usage: 'export',
  summary: 'Print what has "gypsum schedule run" started at boot, and say where to put it',
  example: 'gypsum schedule export --systemd',
  local: true,
  flags: [
    { flags: '--systemd', description: 'a unit of your own systemd' },
    { flags: '--crontab', description: 'a line of your crontab' },
    { flags: '--launchd', description: 'a property list for launchd, on macOS' },
  ],
  async run({ options, warn, quiet, json }) {
    const folder = stateDir();
    const file = formatOf(options)({ command: ownCommand(), stateDir: folder, log: join(folder, 'schedule.log') });
    if (!quiet && !json) for (const line of ['To have it started at boot:', ...file.steps]) warn(line);
    return file;
  },
  human: ({ text }) => text,
};

function formatOf({ systemd, crontab, launchd }: Options) {
  const chosen = [systemd && systemdUnit, crontab && crontabLine, launchd && launchdList].filter((one) => one);
  const [format] = chosen;
  if (chosen.length === 1 && format) return format;
  throw new GypsumError('invalid-argument', 'It is printed in one format.', {
    hint: 'Give one of --systemd, --crontab and --launchd.',
  });
}
