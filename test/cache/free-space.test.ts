import { expect, it } from 'vitest';
import { checkFreeSpace } from '../../src/cache/free-space.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('what fits passes, and what does not is refused with both numbers', async () => {
  const folder = await tempFolder();
  await checkFreeSpace(folder, 0, 'p/a/v');
  await checkFreeSpace(folder, 1, 'p/a/v');
  await expect(checkFreeSpace(folder, 2 ** 52, 'p/a/v')).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringMatching(
      /^There is no space left for p\/a\/v: 4\.5 PB are to be fetched, and the disk of \S+ has [\d.]+ \wB free\.$/,
    ),
    hint: expect.stringContaining('--cache'),
    details: { folder, needed: 2 ** 52, free: expect.any(Number) },
  });
});

it('a file system that says nothing of its size is believed to have enough', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('this system has no such file system at hand');
  await checkFreeSpace('/proc', 2 ** 52, 'p/a/v');
});
