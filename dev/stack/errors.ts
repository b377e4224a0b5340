/** Errors of the embedded stack. Imports types only. */
import type { PartDied } from './types.js';

/** The stack can't start or continue. The message is for the person at the terminal and says what to do. */
export class StackError extends Error {
  override readonly name = 'StackError';
}

/** One paragraph about a part that ended by itself, with the end of its log. */
export function describeDeath(died: PartDied): string {
  const how = died.signal === null ? `exit code ${died.exitCode}` : `signal ${died.signal}`;
  return `${died.name} ended unexpectedly (${how}).\n${describeLog(died.lastLines, died.logFile)}`;
}

/** The end of a log, indented, with its path. */
export function describeLog(lastLines: readonly string[], logFile: string): string {
  if (lastLines.length === 0) return `Its log is empty: ${logFile}`;
  return `The end of its log (${logFile}):\n${lastLines.map((line) => `  ${line}`).join('\n')}`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
