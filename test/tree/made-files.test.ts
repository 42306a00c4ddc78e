import { expect, it } from 'vitest';
import type { Fingerprint } from '../../src/model/fingerprint.ts';
import { createMadeFiles } from '../../src/tree/made-files.ts';

it('files that steps made are known by the place of the step, and others are not', () => {
  const prints: Fingerprint[] = [
    [1, 2, 3, 4.5, 5.25],
    [0, 0, 0, 0, 0],
  ];
  const made = createMadeFiles(4);
  expect(made.at(0)).toBeUndefined();
  made.note(0, [9, 9, 9, 9, 9]);
  made.note(0, prints[0] as Fingerprint);
  made.note(3, prints[1] as Fingerprint);
  expect([0, 1, 2, 3, 4].map((step) => made.at(step))).toEqual([prints[0], undefined, undefined, prints[1], undefined]);
});
