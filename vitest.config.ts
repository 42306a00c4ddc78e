import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/helpers/closing-line-reporter.ts'],
    // What hangs is found here; on a small machine with real sockets and a real file system, slow is not a failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
