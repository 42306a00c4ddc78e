import { describe, expect, it } from 'vitest';
import { checkHoldable } from '../../src/ops/check-holdable.ts';

describe('files with names that Windows cannot hold', () => {
  const ref = { project: 'p', asset: 'a', version: 'v' };

  it('are refused there, with their names', () => {
    expect(() => checkHoldable(ref, ['fine', 'a:b', 'con'], 'win32')).toThrow(
      expect.objectContaining({
        code: 'destination-refused',
        message:
          'p/a/v has files that Windows cannot hold:\n  a:b has a name with ":"\n  con has a name that stands for a device',
      }),
    );
    checkHoldable(ref, ['fine'], 'win32');
  });

  it.each(['linux', 'darwin'])('are fine on %s', (platform) => {
    checkHoldable(ref, ['a:b', 'con'], platform);
  });
});
