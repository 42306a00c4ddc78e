import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isAlive, ownerSchema, thisProcess } from '../src/process-owner.ts';

describe('a process', () => {
  it('that goes on is there, also as it was written down', () => {
    expect(isAlive(thisProcess())).toBe(true);
    expect(isAlive(ownerSchema.parse(JSON.parse(JSON.stringify(thisProcess()))))).toBe(true);
  });

  it('that has ended is not', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(child, 'exit');
    expect(isAlive({ ...thisProcess(), pid: child.pid ?? 0 })).toBe(false);
  });

  it('of another user is there', () => {
    const { host } = thisProcess();
    expect(isAlive({ host, pid: 1 })).toBe(true);
  });

  it('of another machine may be there or not', () => {
    expect(isAlive({ ...thisProcess(), host: 'elsewhere' })).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('is not an earlier one of the same number, as in containers', () => {
    const { birth } = thisProcess();
    expect(birth).toMatch(/^\d+$/);
    expect(isAlive({ ...thisProcess(), birth: '1' })).toBe(false);
  });

  it.runIf(process.platform === 'linux')('that has ended is not there, though nobody has asked how', async () => {
    // The shell becomes a program that never asks after its child.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      await expect.poll(() => isAlive({ host: thisProcess().host, pid })).toBe(false);
      expect(() => process.kill(pid, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
