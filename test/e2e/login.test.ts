import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import { MAIN, startCli } from '../helpers/cli.ts';
import { json, serve } from '../helpers/loopback.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  env?: NodeJS.ProcessEnv;
  prefix?: readonly string[];
}

/** A user of the rig's registry with a home folder of their own. */
function userOf(rig: Rig, environment: NodeJS.ProcessEnv = {}) {
  const home = join(rig.folder, 'home');
  mkdirSync(home, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: home, GYPSUM_URL: rig.registry.url, ...environment };
  return {
    env,
    config: join(home, '.config/gypsum'),
    /** Runs the command without a terminal; standard input holds what is given. */
    run: (argv: readonly string[], input = '', { prefix = [], ...more }: RunOptions = {}) =>
      new Promise<Outcome>((resolve) => {
        const [program = '', ...words] = [...prefix, process.execPath, MAIN, ...argv];
        const child = spawn(program, words, { env, ...more });
        onTestFinished(() => void child.kill('SIGKILL'));
        const outcome: Outcome = { code: null, stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr'] as const) {
          child[name]?.setEncoding('utf8').on('data', (text: string) => {
            outcome[name] += text;
          });
        }
        child.stdin?.on('error', () => {});
        child.stdin?.end(input);
        child.on('close', (code) => resolve({ ...outcome, code }));
      }),
  };
}

describe('gypsum login', () => {
  it('checks the token, keeps it for its owner alone, and says as whom; then it is used', async () => {
    const rig = await createRig();
    const user = userOf(rig);
    const token = await rig.registry.addUser('alice');
    expect(await user.run(['login', '--with-token'], `${token}\n`)).toEqual({
      code: 0,
      stdout: `Logged in to ${rig.registry.url} as alice.\n`,
      stderr: '',
    });
    expect(readdirSync(user.config)).toEqual(['tokens.json']);
    expect(statSync(join(user.config, 'tokens.json')).mode & 0o777).toBe(0o600);
    expect(statSync(user.config).mode & 0o777).toBe(0o700);
    expect(await user.run(['whoami'])).toMatchObject({ code: 0, stdout: 'alice\n' });
    expect(JSON.parse((await user.run(['whoami', '--json'])).stdout)).toEqual({ id: 'alice', admin: false });
  });

  it('is for the one registry: another is not told the token', async () => {
    const rig = await createRig();
    const other = await createRig();
    const user = userOf(rig);
    await user.run(['login', '--with-token'], rig.registry.token);
    const { code, stderr } = await user.run(['whoami', '--registry', other.registry.url]);
    expect(code).toBe(8);
    expect(stderr).toMatch(/^gypsum: Nobody is logged in at .*\nLog in with "gypsum login"/);
    expect(other.registry.calls).toEqual([]);
    const login = await user.run(['login', '--with-token', '--registry', other.registry.url], other.registry.token);
    expect(login.stdout).toBe(`Logged in to ${other.registry.url} as admin (administrator).\n`);
    expect(await user.run(['whoami'])).toMatchObject({ code: 0, stdout: 'admin (administrator)\n' });
  });

  it('keeps nothing of a token that the registry does not know, unless it is not to ask', async () => {
    const rig = await createRig();
    const user = userOf(rig);
    const { code, stderr } = await user.run(['login', '--with-token'], 'wrong');
    expect(code).toBe(8);
    expect(stderr).toContain('not known');
    expect(readdirSync(rig.folder)).toEqual(['home']);
    expect(readdirSync(join(rig.folder, 'home'))).toEqual([]);
    rig.registry.resetCalls();
    expect(await user.run(['login', '--with-token', '--no-verify'], 'wrong')).toEqual({
      code: 0,
      stdout: `Logged in to ${rig.registry.url}.\n`,
      stderr: '',
    });
    expect(rig.registry.calls).toEqual([]);
    expect(await user.run(['whoami'])).toMatchObject({ code: 8 });
  });

  it('never prints the token', async () => {
    const rig = await createRig();
    const user = userOf(rig);
    const { token } = rig.registry;
    const outcomes = [
      await user.run(['login', '--with-token', '--json'], token),
      await user.run(['whoami', '--json']),
      await user.run(['config', 'list', '--json']),
      await user.run(['login', '--with-token'], `${token} ${token}`),
      await user.run(['login', '--with-token'], `${token.slice(0, -1)}#`),
      await user.run(['logout', '--json']),
    ];
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 2, 8, 0]);
    expect(JSON.stringify(outcomes)).not.toContain(token.slice(8, 20));
    expect(JSON.parse(outcomes[0]?.stdout ?? '')).toEqual({ registry: rig.registry.url, id: 'admin', admin: true });
  });

  it('asks nothing without a terminal, and says what to do instead', async () => {
    const rig = await createRig();
    const { code, stdout, stderr } = await userOf(rig).run(['login'], rig.registry.token);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/no terminal to ask .*\n.*--with-token.*GYPSUM_TOKEN/);
  });

  it.each(['', '\n', ' \n\n'])('refuses no token (%j)', async (input) => {
    const { code, stderr } = await userOf(await createRig()).run(['login', '--with-token'], input);
    expect(code).toBe(2);
    expect(stderr).toContain('No token was given');
  });

  it('refuses more than any token', async () => {
    const { code, stderr } = await userOf(await createRig()).run(['login', '--with-token'], 'x y'.repeat(100_000));
    expect(code).toBe(2);
    expect(stderr).toContain('The token has');
  });

  it('says so when GYPSUM_TOKEN stands before it', async () => {
    const rig = await createRig();
    const user = userOf(rig, { GYPSUM_TOKEN: await rig.registry.addUser('alice') });
    expect((await user.run(['login', '--with-token'], rig.registry.token)).stdout).toMatch(
      /as admin \(administrator\)\.\nGYPSUM_TOKEN is set, and is used in place of this login\.\n/,
    );
    expect((await user.run(['whoami'])).stdout).toBe('alice\n');
    expect((await user.run(['logout'])).stdout).toMatch(
      /^Logged out of .*\nGYPSUM_TOKEN is set, and is used as before/,
    );
  });

  it.runIf(withoutPrivileges !== undefined)(
    'cannot be kept in a folder that cannot be written: there is a message and nothing half',
    async () => {
      const rig = await createRig();
      const user = userOf(rig);
      const closed = join(rig.folder, 'closed');
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      const nobody = { env: { ...user.env, HOME: closed }, prefix: withoutPrivileges ?? [] };
      for (const argv of [
        ['login', '--with-token'],
        ['config', 'set', 'concurrency', '4'],
      ]) {
        const { code, stdout, stderr } = await user.run(argv, rig.registry.token, nobody);
        expect({ code, stdout }).toEqual({ code: 18, stdout: '' });
        expect(stderr).toMatch(/There is no permission: EACCES.*\n.*GYPSUM_CONFIG_DIR/);
      }
      expect(readdirSync(closed)).toEqual([]);
    },
  );
});

describe('gypsum login --gh', () => {
  /** Puts a stand-in for GitHub's command line before all others. */
  function withGh(rig: Rig, script: string) {
    const bin = join(rig.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'gh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return userOf(rig, { PATH: `${bin}:${process.env.PATH}` });
  }

  it('takes the token of GitHub’s own command line', async () => {
    const rig = await createRig();
    const user = withGh(rig, `[ "$*" = "auth token" ] && echo ${await rig.registry.addUser('alice')}`);
    expect(await user.run(['login', '--gh'])).toEqual({
      code: 0,
      stdout: `Logged in to ${rig.registry.url} as alice.\n`,
      stderr: '',
    });
    expect(await user.run(['whoami'])).toMatchObject({ code: 0, stdout: 'alice\n' });
  });

  it('asks it for the host that is given', async () => {
    const rig = await createRig();
    const user = withGh(rig, `[ "$*" = "auth token --hostname github.lab.org" ] && echo ${rig.registry.token}`);
    expect((await user.run(['login', '--gh', '--github-url', 'https://github.lab.org'])).code).toBe(0);
    expect((await user.run(['login', '--gh', '--github-url', 'github.lab.org'])).code).toBe(2);
  });

  it('says what to do where it has none, or is not there', async () => {
    const rig = await createRig();
    const user = withGh(rig, 'echo "no oauth token found for github.com" >&2; exit 1');
    const none = await user.run(['login', '--gh']);
    expect(none).toMatchObject({ code: 8, stderr: expect.stringMatching(/no oauth token found.*\n.*gh auth login/) });
    const nowhere = await user.run(['login', '--gh'], '', { env: { ...user.env, PATH: join(rig.folder, 'home') } });
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringMatching(/no command "gh".*\n.*cli\.github\.com/) });
    expect((await user.run(['login', '--gh', '--device'])).code).toBe(2);
    expect(readdirSync(join(rig.folder, 'home'))).toEqual([]);
  });
});

describe('gypsum login --device', () => {
  const app: Fault = async () => Response.json({ id: 'the-app', secret: 'unused' });
  const code = {
    device_code: 'device',
    user_code: 'ABCD-1234',
    verification_uri: 'https://gh.test/x',
    expires_in: 900,
  };

  it('shows where to go and which code to enter, and keeps the token', async () => {
    const rig = await createRig();
    rig.registry.inject(app, { route: 'githubCredentials' });
    const github = await serve((response, attempt, request) => {
      json(attempt === 1 ? { ...code, interval: 0.01 } : { access_token: rig.registry.token })(
        response,
        attempt,
        request,
      );
    });
    const user = userOf(rig);
    expect(await user.run(['login', '--device', '--quiet', '--github-url', github.url])).toEqual({
      code: 0,
      stdout: `Logged in to ${rig.registry.url} as admin (administrator).\n`,
      stderr: 'Open https://gh.test/x and enter the code ABCD-1234\n',
    });
    expect((await user.run(['whoami'])).code).toBe(0);
  });

  it('is left by Ctrl-C, and nothing is kept', async () => {
    const rig = await createRig();
    rig.registry.inject(app, { route: 'githubCredentials' });
    const github = await serve(json({ ...code, interval: 3600 }));
    const { env } = userOf(rig);
    const login = startCli(['login', '--device', '--github-url', github.url], env);
    login.child.stderr?.once('data', () => login.child.kill('SIGINT'));
    const { code: exit, stdout, stderr } = await login.end();
    expect([exit, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/^Open .*\nInterrupted by SIGINT\.\n$/);
    expect(readdirSync(join(rig.folder, 'home'))).toEqual([]);
  });
});

describe('gypsum logout', () => {
  it('forgets the token of this registry alone', async () => {
    const rig = await createRig();
    const other = await createRig();
    const user = userOf(rig);
    await user.run(['login', '--with-token'], rig.registry.token);
    await user.run(['login', '--with-token', '--registry', other.registry.url], other.registry.token);
    expect((await user.run(['logout'])).stdout).toBe(`Logged out of ${rig.registry.url}.\n`);
    expect((await user.run(['whoami'])).code).toBe(8);
    expect((await user.run(['whoami', '--registry', other.registry.url])).code).toBe(0);
    expect(readFileSync(join(user.config, 'tokens.json'), 'utf8')).not.toContain(rig.registry.token);
    expect(await user.run(['logout'])).toEqual({
      code: 0,
      stdout: `There was no login at ${rig.registry.url}.\n`,
      stderr: '',
    });
  });
});

const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true;
if (!hasScript)
  process.stdout.write('The prompt is not tested: there is no "script" of util-linux to make a terminal.\n');

describe.skipIf(!hasScript)('the question for the token on a terminal', () => {
  /** Runs a shell line on a terminal of its own; `keys` are typed once the question is there. */
  function onTerminal(line: string, env: NodeJS.ProcessEnv, keys: string | (() => void)): Promise<string> {
    const child = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let shown = '';
    let typed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (typed || !shown.includes('Token for ')) return;
      typed = true;
      if (typeof keys === 'string') child.stdin.write(keys);
      else keys();
    });
    return new Promise((resolve) => child.on('close', () => resolve(shown.replaceAll('\r\n', '\n'))));
  }

  const login = `"${process.execPath}" "${MAIN}" login`;
  const after = 'echo "code=$?"; stty -a | tr " " "\\n" | grep -xE -- "-?(echo|icanon|isig);?" | tr "\\n" " "';

  it('takes it without showing it, and gives the terminal back', async () => {
    const rig = await createRig();
    const user = userOf(rig);
    const shown = await onTerminal(`${login}; ${after}`, user.env, `${rig.registry.token}\r`);
    expect(shown).toBe(
      `Token for ${rig.registry.url}: \nLogged in to ${rig.registry.url} as admin (administrator).\ncode=0\nisig icanon echo `,
    );
    expect((await user.run(['whoami'])).code).toBe(0);
  });

  it('can be typed with mistakes that are mended', async () => {
    const rig = await createRig();
    const { token } = rig.registry;
    const shown = await onTerminal(login, userOf(rig).env, `x\x7f${token}yy\x7f\x7f\r`);
    expect(shown).toContain('as admin');
    expect(shown).not.toContain(token.slice(0, 10));
  });

  it('is left by Ctrl-C with 130, an intact terminal, and nothing kept', async () => {
    const rig = await createRig();
    const shown = await onTerminal(`${login}; ${after}`, userOf(rig).env, `secret\x03`);
    expect(shown).toBe(`Token for ${rig.registry.url}: \nInterrupted by SIGINT.\ncode=130\nisig icanon echo `);
    expect(readdirSync(join(rig.folder, 'home'))).toEqual([]);
    expect(rig.registry.calls).toEqual([]);
  });

  it('is left by Ctrl-D with an error', async () => {
    const rig = await createRig();
    const shown = await onTerminal(`${login}; ${after}`, userOf(rig).env, '\x04');
    expect(shown).toMatch(/No token was given.*\n.*\ncode=2\nisig icanon echo $/);
  });

  it('gives the terminal back when it is ended from outside', async () => {
    const rig = await createRig();
    const pid = join(rig.folder, 'pid');
    const line = `sh -c 'echo $$ > "${pid}"; exec ${login}'; ${after}`;
    const shown = await onTerminal(line, userOf(rig).env, () => {
      process.kill(Number(readFileSync(pid, 'utf8')), 'SIGTERM');
    });
    expect(shown).toBe(`Token for ${rig.registry.url}: \nInterrupted by SIGTERM.\ncode=143\nisig icanon echo `);
  });
});
