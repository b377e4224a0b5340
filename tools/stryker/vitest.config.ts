import { defineConfig } from 'vitest/config';

/** The unit tests under which Stryker mutates pure rules. It picks those that import the mutated files. */
export default defineConfig({
  test: {
    cache: false,
    include: ['test/**/*.test.ts'],
    exclude: ['test/{stack,integration,workflows,faults,packages,mutations,deploy,runtime}/**'],
    setupFiles: ['test/support/fixed-seed.ts'],
    // Properties try a tenth of their cases, or each mutant would take minutes.
    env: { DORMOUSE_TEST_RUNS: '20' },
    testTimeout: 60_000,
  },
});
