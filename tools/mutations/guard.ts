/** What a mutation is: one guard taken out of the code, and the tests that must notice. Imports nothing. */

export interface Guard {
  /** What the guard holds, in words. */
  readonly name: string;
  readonly file: string;
  /** The exact text of the guard; occurs once in the file. */
  readonly find: string;
  /** What stands there when the guard is taken out. */
  readonly replace: string;
  /** The vitest project of the tests. */
  readonly project: 'unit' | 'system' | 'faults';
  /** Test files; at least one test in them must fail. */
  readonly tests: readonly string[];
  /** Runs only tests whose name matches (vitest's `-t`): keeps a mutation of a slow file short. */
  readonly only?: string;
}
