import { expect, it } from 'vitest';
import { versionText } from '../../src/model/link-text.ts';

it.each([
  ['win32', '..\\sub\\file', '../sub/file'],
  ['win32', 'C:\\data', 'C:/data'],
  ['win32', '../sub', '../sub'],
  ['linux', 'back\\slash', 'back\\slash'],
  ['darwin', '..\\sub', '..\\sub'],
] as const)('the text of a symlink on %s, %s, is %s in a version', (platform, text, expected) => {
  expect(versionText(text, platform)).toBe(expected);
});
