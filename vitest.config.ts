import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests use real sockets and a real file system on small machines: what hangs is found here, what is slow is not a failure.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
});
