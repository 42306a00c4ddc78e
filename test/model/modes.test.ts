import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FileEntry } from '../../src/model/tree.ts';

const file = (mode?: number): FileEntry => ({ type: 'file', path: 'f', size: 0, ...(mode !== undefined && { mode }) });
const folder = (mode?: number) => ({ type: 'directory', ...(mode !== undefined && { mode }) }) as const;

/** Gives what a process with a umask has. */
async function modesUnder(mask: number): Promise<typeof import('../../src/model/modes.ts')> {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
  vi.resetModules();
  return import('../../src/model/modes.ts');
}

describe.each([0o022, 0o002, 0o027, 0o077, 0])('under the umask %o', (mask) => {
  it('what it makes of files and folders needs not be told, nor what others usually make', async () => {
    const { isPlain } = await modesUnder(mask);
    for (const mode of [0o644, 0o664, 0o666 & ~mask, undefined]) expect(isPlain(file(mode))).toBe(true);
    for (const mode of [0o755, 0o775, 0o777 & ~mask, undefined]) expect(isPlain(folder(mode))).toBe(true);
    for (const mode of [0o755, 0o775, 0o777 & ~mask, 0o444, 0o400]) expect(isPlain(file(mode))).toBe(false);
    for (const mode of [0o555, 0o500, 0o711]) expect(isPlain(folder(mode))).toBe(false);
  });

  it('what it makes is what was there, if that may be executed or not, too', async () => {
    const { meantMode } = await modesUnder(mask);
    const made = [0o666, 0o777].map((mode) => mode & ~mask) as [number, number];
    for (const mode of [0o444, 0o644, 0o664, made[0], undefined]) expect(meantMode(mode, file(0o400))).toBe(0o400);
    for (const mode of [0o555, 0o755, 0o775, made[1], undefined]) expect(meantMode(mode, file(0o700))).toBe(0o700);
    for (const mode of [0o755, 0o775, made[1]]) expect(meantMode(mode, folder())).toBeUndefined();
    expect(meantMode(made[0], file(0o755))).toBe(made[0]);
    expect(meantMode(made[1], file(0o644))).toBe(made[1]);
    expect(meantMode(0o604, file(0o644))).toBe(0o604);
    expect(meantMode(0o710, folder(0o755))).toBe(0o710);
  });

  it('two are the same where nobody has said them, and both or none may be executed', async () => {
    const { sameMode } = await modesUnder(mask);
    const made = 0o666 & ~mask;
    for (const mode of [undefined, 0o444, 0o664, made]) expect(sameMode(file(mode), file(0o644))).toBe(true);
    expect(sameMode(folder(), folder(0o777 & ~mask))).toBe(true);
    expect(sameMode(file(0o755), file(0o644))).toBe(false);
    expect(sameMode(file(0o604), file(0o644))).toBe(false);
  });
});

it('of a file that only its owner may read, that is told where a umask has not made it so', async () => {
  const { isPlain, meantMode } = await modesUnder(0o022);
  expect(isPlain(file(0o600))).toBe(false);
  expect(meantMode(0o600, file(0o644))).toBe(0o600);
});

it('is what the umask makes when somebody first asks', async () => {
  const { isPlain } = await modesUnder(0o022);
  process.umask(0o027);
  expect([isPlain(file(0o640)), isPlain(folder(0o750))]).toEqual([true, true]);
});
