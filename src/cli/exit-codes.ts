/** What the command line tells scripts by its exit code (docs/command-line.md). */
import { CommanderError } from 'commander';
import { ConfigError } from '../config.js';

export const exitCodes = {
  done: 0,
  /** Refused, failed, or found wrong: nothing was changed, unless the message says otherwise. */
  refused: 1,
  /** The command line itself is wrong: an option, a parameter, or a confirmation that nobody gave. */
  usage: 2,
  /** Nobody is signed in, the credential does not hold, or it lacks the scope. */
  notAllowed: 3,
  notFound: 4,
  /** The gateway, or what it needs, did not answer. The same command may be tried again. */
  unavailable: 5,
  /** The work goes on, and was not watched to its end. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What an operator is told, and the exit code that goes with it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An option or a parameter is wrong. The message names it, the problem and the way out. */
export class UsageError extends ConfigError {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  return exitCodes.refused;
}
