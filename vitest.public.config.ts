import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** The client's own tests against registries that are as odd as the public one: see mocks/oddities.ts. */
export default defineConfig({
  test: {
    ...config.test,
    setupFiles: ['test/helpers/against-public.ts'],
    // The verbose one says what is not held against a test, and why.
    reporters: ['verbose', './test/helpers/closing-line-reporter.ts'],
  },
});
