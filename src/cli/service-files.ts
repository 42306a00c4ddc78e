import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** A file that has the scheduler run from boot on, and how it comes into force. */
export interface ServiceFile {
  readonly text: string;
  /** What to do with it, in lines. */
  readonly steps: readonly string[];
}

export interface ServiceOptions {
  /** The program and its first arguments, by absolute paths. */
  readonly command: readonly [string, ...string[]];
  readonly stateDir: string;
  /** Where what is said is written, if the system keeps no log of it. */
  readonly log: string;
}

/**
 * A unit of the user's systemd.
 *
 * Source: systemd.service(5), systemd.syntax(7), systemd.unit(5)
 */
export function systemdUnit({ command: [program, ...words], stateDir }: ServiceOptions): ServiceFile {
  // It refuses them, however they are written.
  checkWithout(program, /[\p{Control}"'\\]/u, 'systemd');
  const text = `[Unit]
Description=gypsum schedule
Documentation=https://www.npmjs.com/package/gypsum-client

[Service]
Environment=${unitWord(`GYPSUM_STATE_DIR=${stateDir}`)}
ExecStart=:${[program, ...words, 'schedule', 'run'].map(unitWord).join(' ')}
Restart=on-failure
RestartSec=10s
# Another process runs the jobs: whoever started that knows why.
RestartPreventExitStatus=16
# Jobs are told by the scheduler alone, once: the second time they would end at once.
KillMode=mixed
TimeoutStopSec=5min

[Install]
WantedBy=default.target`;
  return {
    text,
    steps: [
      'mkdir -p ~/.config/systemd/user',
      'gypsum schedule export --systemd > ~/.config/systemd/user/gypsum-schedule.service',
      'systemctl --user daemon-reload && systemctl --user enable --now gypsum-schedule.service',
      'loginctl enable-linger    # from boot on, and not only while you are logged in',
      'journalctl --user --unit gypsum-schedule.service    # what it says',
    ],
  };
}

/** In double quotes, where `%` begins what systemd puts in; `$` does not, for the ":" before the program. */
function unitWord(word: string): string {
  const escaped = word
    .replace(/["\\]/g, '\\$&')
    .replaceAll('%', '%%')
    .replace(/\p{Control}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return /^[\w./-]+$/.test(word) ? word : `"${escaped}"`;
}

/**
 * A line of the user's crontab.
 *
 * Source: crontab(5)
 */
export function crontabLine({ command, stateDir, log }: ServiceOptions): ServiceFile {
  const words = [...command, 'schedule', 'run', '--log', log];
  // Some crons take "\\\\" for one backslash and others for two, and none takes a line end.
  for (const word of [...words, stateDir]) checkWithout(word, /[\p{Control}\\]/u, 'a crontab');
  const line = [`GYPSUM_STATE_DIR=${shellWord(stateDir)}`, ...words.map(shellWord)].join(' ');
  return {
    // What stands behind a "%" is what the command reads.
    text: `@reboot ${line.replaceAll('%', '\\%')}`,
    steps: [
      '(crontab -l; gypsum schedule export --crontab) | crontab -',
      `It begins at the next boot; what it says is written to ${showText(log)}.`,
    ],
  };
}

/** Without a backslash, of which cron may take some away: a quote stands in double quotes. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/**
 * A property list of the user's launchd.
 *
 * Source: launchd.plist(5)
 */
export function launchdList({ command, stateDir, log }: ServiceOptions): ServiceFile {
  const strings = [...command, 'schedule', 'run', '--log', log].map((word) => `    ${xmlString(word)}`).join('\n');
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>gypsum-client.schedule</string>
  <key>ProgramArguments</key>
  <array>
${strings}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>GYPSUM_STATE_DIR</key>
    ${xmlString(stateDir)}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>300</integer>
</dict>
</plist>`;
  const path = '~/Library/LaunchAgents/gypsum-client.schedule.plist';
  return {
    text,
    steps: [
      `gypsum schedule export --launchd > ${path}`,
      `launchctl bootstrap gui/$(id -u) ${path}`,
      `What it says is written to ${showText(log)}.`,
    ],
  };
}

function xmlString(word: string): string {
  checkWithout(word, /\p{Control}/u, 'a property list');
  const escaped = word.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<string>${escaped}</string>`;
}

function checkWithout(word: string, forbidden: RegExp, what: string): void {
  if (!forbidden.test(word)) return;
  throw new GypsumError('invalid-argument', `The path ${showText(word)} cannot stand in ${what}.`, {
    hint: 'Choose another format, or another place: GYPSUM_STATE_DIR for the jobs.',
    details: { path: word },
  });
}
