/** What a mutation is: one guard taken out of the code, and the tests that must notice. Imports nothing. */

/**
 * How a guard is taken out of the code that stands below its mark, `// guard: <name>`: a statement, a member or an
 * element. Text is compared without white space, so that a formatter changes nothing.
 */
export type TakenOut =
  /** The marked code is left out. */
  | 'left out'
  /** Its first condition (of an `if`, a loop or `… ? … : …`) is always this. TypeScript only. */
  | { readonly condition: boolean }
  /** What it returns, assigns or declares is this expression. TypeScript only. */
  | { readonly value: string }
  /** A part of it, which is in it once, is replaced. */
  | { readonly part: string; readonly becomes: string };

export interface Guard {
  /** What the guard holds, in words; the text of its mark. */
  readonly name: string;
  readonly takenOut: TakenOut;
  /** The vitest project of the tests. */
  readonly project: 'unit' | 'system' | 'faults';
  /** Test files; at least one test in them must fail. */
  readonly tests: readonly string[];
  /** Runs only tests whose name matches (vitest's `-t`): keeps a mutation of a slow file short. */
  readonly only?: string;
}
