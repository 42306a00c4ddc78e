import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/helpers/closing-line-reporter.ts'],
    // Tests wait for disks, sockets and processes: one more than there are by default makes two cores a third faster.
    maxWorkers: availableParallelism(),
    // What hangs is found here; on a small machine with real sockets and a real file system, slow is not a failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    // One of thousands that meets a busy moment of somebody's machine is tried once more there, and the report says which.
    retry: process.env.CI === undefined ? 0 : 1,
    // Nobody's own settings and logins, whoever runs this; tests that want some have a folder for them.
    env: { XDG_CONFIG_HOME: '/nonexistent', GYPSUM_STATE_DIR: join(tmpdir(), 'gypsum-test-state') },
  },
});
