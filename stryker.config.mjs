/**
 * Mutation testing of pure rules: `npm run test:stryker -- <files>`, or `npx stryker run --mutate <file>` for a report of
 * each mutant. What is measured is in docs/reliability.md.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  // Files without I/O whose rules unit tests hold. A new one is added here.
  mutate: [
    'src/domain/**/*.ts',
    'src/forecast/*.ts',
    'src/config/listen-address.ts',
    'src/mail/{alike,bounce,owed}.ts',
    'src/preview/{answer,tally}.ts',
    'src/process/csv.ts',
    'src/security-events/rules.ts',
    'src/smtp/outcome.ts',
    'src/tokens/admission-rules.ts',
    'src/tokens/refresh/admission.ts',
  ],
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'tools/stryker/vitest.config.ts' },
  mutator: {
    // Texts are mostly messages, and tests of messages would pin prose.
    excludedMutations: ['StringLiteral'],
  },
  // Constants of a module are mutated by loading it again with all its tests: too slow for schemas and tables.
  ignoreStatic: true,
  thresholds: { high: 95, low: 85, break: 80 },
  // A mutant that loops for ever is killed by it; a busy machine must not kill one.
  timeoutMS: 30_000,
  concurrency: 2,
  // It reads tsconfig.json with an API that TypeScript 7 no longer has; vitest needs none.
  tsconfigFile: 'tsconfig.stryker-reads-none.json',
  tempDirName: '.stryker-tmp',
  ignorePatterns: ['.stack', 'dist', 'bench', 'docs/images', 'test/histories'],
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { reportTests: false },
};
