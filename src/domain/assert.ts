/** Makes the compiler prove that every case is handled. Imports nothing. */

/** Reached only when a union got a new member that a `switch` does not handle. */
export function assertUnreachable(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
