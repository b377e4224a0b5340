import { defineConfig } from 'vitest/config';

/**
 * `unit`: pure rules, mails, deployment files: no server. `packages`: what is published, as an app installs it. `stack`: the embedded stack itself. `system`: activities,
 * client, gateway and workflows against one real stack that is started once for all files. `faults`: the same parts, broken on purpose; a
 * sample by `npm test`, all of it by `npm run test:faults`.
 */
export default defineConfig({
  test: {
    // The order of the files is the same on every machine.
    cache: false,
    projects: [
      {
        test: {
          name: 'unit',
          // Properties over thousands of cases; a busy machine is no failure.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          setupFiles: ['test/support/fixed-seed.ts'],
          // Everything but what needs servers.
          include: ['test/**/*.test.ts'],
          exclude: ['test/{stack,integration,workflows,faults,packages}/**'],
        },
      },
      {
        test: {
          name: 'packages',
          include: ['test/packages/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/stack/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/integration/**/*.test.ts', 'test/workflows/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 7_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
