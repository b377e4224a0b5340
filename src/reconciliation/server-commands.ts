/** `dormouse server enrol …`: start the lifecycle of one identity, or of all, at the installation. */
import type { Command } from 'commander';
import { withDormouse, withPool, withTemporal } from '../cli/connection.js';
import { beginOf } from '../cli/times.js';
import { readConfig } from '../config.js';
import { parseDuration } from '../domain/duration.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { readPolicyRow } from '../policies/policies-table.js';
import type { ReconcileOptions } from '../workflows/reconcile-messages.js';
import { enrolAllWorkflowId } from '../workflows/reconcile-messages.js';
import { followEnrolAll, startEnrolAll } from './enrol-all.js';
import { announcement, summary } from './progress.js';
import { defaultPageSize } from './schedule.js';

interface EnrolFlags {
  readonly all?: true;
  readonly policy?: string;
  readonly lastActiveAt?: string;
  readonly rate: string;
  readonly kratosRate: string;
  readonly spread: string;
  readonly dryRun?: true;
  readonly distrustProjection?: true;
  readonly follow?: true;
}

/** @param server the command that it is added to */
export function addServerEnrolCommand(server: Command): void {
  server
    .command('enrol [identityId]')
    .description("start an identity's lifecycle, or with --all those of everybody who has none")
    .option('--policy <id>', 'the policy to follow; left out: the one that DORMOUSE_POLICY_ID names')
    .option(
      '--last-active-at <time>',
      'one identity: its last known sign of life, as 2026-01-31 (UTC) or 2026-01-31T08:00:00Z; counts where it is later than its creation in Kratos',
    )
    .option('--all', 'everybody in Kratos who has no lifecycle')
    .option(
      '--dry-run',
      'with --all: change nothing, say how many would be enrolled and are overdue for what',
    )
    .option('--rate <number>', 'with --all: lifecycles started a second, at most', '50')
    .option('--kratos-rate <number>', 'with --all: lists asked of Kratos a second, at most', '5')
    .option('--spread <duration>', 'with --all: spread the first looks over this time; 0s: at once', '1h')
    .option('--distrust-projection', "with --all: after a loss of Temporal's data, try everybody")
    .option('--follow', 'with --all: start nothing, show the enrolment that runs')
    .action(async (identityId: string | undefined, flags: EnrolFlags) => {
      if ((identityId === undefined) === (flags.all === undefined))
        throw new Error('enrol: name one identity by its id, or pass --all for everybody');
      if (identityId === undefined) await enrolAll(flags);
      else await enrolOne(identityId, flags);
    });
}

async function enrolOne(identityId: string, flags: EnrolFlags): Promise<void> {
  if (flags.dryRun || flags.follow) throw new Error('enrol: --dry-run and --follow go with --all');
  const { lastActiveAt } = flags;
  const at = lastActiveAt === undefined ? {} : { lastActiveAt: beginOf('--last-active-at', lastActiveAt) };
  const policyId = policyOf(flags);
  // Without the policy, its lifecycle would only park.
  await withPool((pool) => readPolicyRow(pool, policyId));
  const started = await withDormouse((dormouse) => dormouse.enrol(identityId, { policyId, ...at }));
  console.log(started ? 'started' : 'it runs already');
}

async function enrolAll(flags: EnrolFlags): Promise<void> {
  if (flags.lastActiveAt !== undefined) throw new Error('enrol: --last-active-at goes with one identity');
  const options = optionsOf(flags);
  await withTemporal(async (system) => {
    const workflowId =
      flags.follow === true ? enrolAllWorkflowId(system.taskQueue) : await begin(system, options);
    const interrupt = new AbortController();
    const onInterrupt = () => interrupt.abort();
    process.once('SIGINT', onInterrupt);
    try {
      const result = await followEnrolAll(system.client, workflowId, {
        output: process.stdout,
        signal: interrupt.signal,
      });
      if (result !== undefined) console.log(summary(result));
      else leave(workflowId, options.dryRun);
    } finally {
      process.removeListener('SIGINT', onInterrupt);
    }
  });
}

async function begin(
  system: Parameters<typeof startEnrolAll>[0],
  options: ReconcileOptions,
): Promise<string> {
  const { workflowId, started } = await startEnrolAll(system, options);
  if (!started) console.log('It runs already, with the options that it was started with:');
  else if (!options.dryRun) console.log(announcement(options));
  return workflowId;
}

/** Sets the exit code that tells that the work was not watched to its end. */
function leave(workflowId: string, dryRun: boolean): void {
  const again = dryRun ? 'dormouse server enrol --all --dry-run' : 'dormouse server enrol --all --follow';
  console.log(`It goes on in the worker (workflow ${workflowId}). See it again with: ${again}`);
  console.log(`Stop it with: temporal workflow cancel --workflow-id ${workflowId}`);
  process.exitCode = 130;
}

/** @throws Error naming the flag, the problem and the way out */
function optionsOf(flags: EnrolFlags): ReconcileOptions {
  const spreadMs = parseDuration(flags.spread);
  if (spreadMs === undefined)
    throw new Error(`--spread: "${flags.spread}" is not a duration. Write it as 1h or 0s`);
  return {
    policyId: policyOf(flags),
    startsPerSecond: positive('--rate', flags.rate, 1),
    kratosCallsPerSecond: positive('--kratos-rate', flags.kratosRate, 0.1),
    spreadMs,
    pageSize: defaultPageSize,
    dryRun: flags.dryRun === true,
    distrustProjection: flags.distrustProjection === true,
  };
}

function policyOf({ policy }: EnrolFlags): string {
  return policy === undefined
    ? readConfig(['DORMOUSE_POLICY_ID']).DORMOUSE_POLICY_ID
    : checkedPolicyId('--policy', policy);
}

function positive(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= 1_000) return value;
  throw new Error(`${flag}: "${text}" is not a number from ${least} to 1000`);
}
