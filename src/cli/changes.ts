/** Commands that change something: their options, and the request for it. */
import { normalText } from '../domain/free-text.js';
import { reasonProblem } from '../domain/names.js';
import { UsageError } from './exit-codes.js';
import type { CallOptions, GatewayCalls } from './gateway-calls.js';
import { say, sayJson } from './output.js';

export const dryRunOption = ['--dry-run', 'say what would be done, and change nothing'] as const;
export const jsonOption = ['--json', 'print the answer as JSON'] as const;

export interface ChangeFlags {
  readonly dryRun?: true;
  readonly json?: true;
}

export interface Change extends CallOptions {
  readonly path: string;
  readonly body?: object;
  /** What the change does, after "would". */
  readonly what: string;
}

/**
 * Asks for a change, or with `--dry-run` whether it would be taken, and says so.
 * @returns `undefined` for a dry run. @throws CliError
 */
export async function decide<Answer>(
  gateway: GatewayCalls,
  { path, body = {}, what, ...options }: Change,
  { dryRun, json }: ChangeFlags,
): Promise<Answer | undefined> {
  const answer = await gateway.change<Answer>(path, body, { ...options, dryRun: dryRun === true });
  if (dryRun !== true) return answer;
  if (json === true) sayJson({ dryRun: true, would: what });
  else say(`dry run: would ${what}. The credential may, and the request is sound. Nothing was changed.`);
  return undefined;
}

/** @throws UsageError */
export function checkedReason(reason: string, option = '--reason'): string {
  const problem = reasonProblem(reason);
  if (problem !== undefined) throw new UsageError(`${option}: ${problem}`);
  return normalText(reason);
}
