import { spawnSync } from 'node:child_process';

const isRoot = process.getuid?.() === 0;

/** Takes root's power over permissions from a process; what root owns stays its own. */
const DROP = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];

/**
 * The words before a command that make permissions apply to it, none where they do in any case; nothing where tests run
 * as root and there is no way to give that up.
 */
export const withoutPrivileges: readonly string[] | undefined = !isRoot
  ? []
  : spawnSync(DROP[0] ?? '', [...DROP.slice(1), 'true']).status === 0
    ? DROP
    : undefined;

if (withoutPrivileges === undefined) {
  process.stdout.write('Permissions are not tried: the tests run as root, and setpriv (util-linux) is not there.\n');
}

/** Whether a small file system of one's own can be mounted here, without being root. */
export function canMount(): boolean {
  const { status } = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt']);
  return status === 0;
}

/** The words before a command that run it as a user of a group, with a umask. */
export function asMember(uid: number, gid: number, umask: string): readonly string[] {
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    'sh',
    '-c',
    `umask ${umask}; exec "$@"`,
    'sh',
  ];
}

/** Whether this process can run a file as other users. */
export function canBeOthers(file: string): boolean {
  const [program = '', ...words] = [...asMember(54_321, 54_321, '022'), 'test', '-r', file];
  return spawnSync(program, words).status === 0;
}
