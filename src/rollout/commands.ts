/** `dormouse policy rollout …`: see, pause, resume and take back the roll-out of a policy's latest version. */
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Command } from 'commander';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool, withTemporal } from '../cli/connection.js';
import { wholeNumber } from '../cli/numbers.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import {
  type DecidedRollout,
  pauseRolloutUpdate,
  type RolloutProgress,
  rollBackUpdate,
  rolloutQuery,
  rolloutWorkflowId,
} from '../workflows/rollout-messages.js';
import { type RolloutRow, readRollouts } from './rollouts-table.js';
import { resumeRollout } from './start.js';

/** To be added after the commands `policy …`. */
export function addRolloutCommands(program: Command): void {
  const policy = program.commands.find((command) => command.name() === 'policy');
  if (policy === undefined) throw new Error('the commands "policy …" are missing');
  const rollout = policy
    .command('rollout')
    .description('how the latest version of a policy reaches the people who are due earlier by it');
  rollout
    .command('status <id>')
    .description('how far the roll-outs of a policy are, the latest version first')
    .option('--json', 'one JSON object a line')
    .action(status);
  rollout
    .command('pause <id>')
    .description(
      'wake nobody more; who was woken already goes on, and everybody else looks at their own time',
    )
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(pause);
  rollout
    .command('resume <id>')
    .description('go on with a roll-out that was paused')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(resume);
  rollout
    .command('back <id>')
    .description('publish the text of an earlier version as the next one, and take that to people instead')
    .option('--to <version>', 'the earlier version; left out: the one before the version under way')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(back);
}

async function status(id: string, { json }: { json?: true }): Promise<void> {
  const policyId = checkedPolicyId('id', id);
  const rows = await withPool((pool) => readRollouts(pool, policyId));
  const [latest] = rows;
  const isUnderWay = latest?.state === 'waking' || latest?.state === 'paused';
  // PostgreSQL has the state; the workflow has the counts of this moment.
  const progress = isUnderWay ? await withTemporal((system) => query(system, policyId)) : undefined;
  for (const row of rows) {
    const isCurrent = progress?.version === row.version;
    const shown = isCurrent ? { ...row, ...progress.counts, phase: progress.place.phase } : row;
    console.log(json ? JSON.stringify(shown) : lineOf(shown));
  }
  if (rows.length === 0 && json !== true)
    console.log('No version of this policy was rolled out: nobody slept under an earlier one.');
}

function lineOf(row: RolloutRow & { readonly phase?: string }): string {
  const { policyId, version, state, startedAt, seen, earlier, woken, failed, phase } = row;
  const since = new Date(startedAt).toISOString();
  const where = phase === undefined || phase === 'done' ? state : `${state} (${phase})`;
  return `${`${policyId}@${version}`.padEnd(24)}${where.padEnd(18)} since ${since}  read ${seen}, due earlier ${earlier}, woken ${woken}, failed ${failed}`;
}

interface System {
  readonly client: Client;
  readonly taskQueue: string;
}

async function query({ client, taskQueue }: System, policyId: string): Promise<RolloutProgress | undefined> {
  try {
    return await client.workflow.getHandle(rolloutWorkflowId(taskQueue, policyId)).query(rolloutQuery);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function pause(id: string, flags: Decision): Promise<void> {
  await tell(id, flags, ({ client, taskQueue }, policyId, decision) =>
    client.workflow
      .getHandle(rolloutWorkflowId(taskQueue, policyId))
      .executeUpdate(pauseRolloutUpdate, { args: [decision] }),
  );
}

async function resume(id: string, flags: Decision): Promise<void> {
  const policyId = checkedPolicyId('id', id);
  const [latest] = await withPool((pool) => readRollouts(pool, policyId));
  if (latest === undefined || (latest.state !== 'paused' && latest.state !== 'cancelled')) {
    throw new Error(
      `no roll-out of "${policyId}" is paused. See: dormouse policy rollout status ${policyId}`,
    );
  }
  await tell(policyId, flags, (system, _id, decision) =>
    resumeRollout(system, policyId, latest.version, decision),
  );
}

async function back(id: string, flags: Decision & { to?: string }): Promise<void> {
  const to = flags.to === undefined ? {} : { to: wholeNumber('--to', flags.to) };
  await tell(id, flags, ({ client, taskQueue }, policyId, decision) =>
    client.workflow
      .getHandle(rolloutWorkflowId(taskQueue, policyId))
      .executeUpdate(rollBackUpdate, { args: [{ ...decision, ...to }] }),
  );
}

/** Checks the decision, hands it to the roll-out, and says what came of it. */
async function tell(
  id: string,
  flags: Decision,
  ask: (system: System, policyId: string, decision: DecidedRollout) => Promise<RolloutProgress>,
): Promise<void> {
  const policyId = checkedPolicyId('id', id);
  const { actor, reason } = checkedDecision(flags);
  announce(
    await withTemporal((system) =>
      told(policyId, () => ask(system, policyId, { schemaVersion: 1, actor, reason })),
    ),
  );
}

/** @throws Error with the roll-out's own words, or one that says that none runs */
async function told(policyId: string, ask: () => Promise<RolloutProgress>): Promise<RolloutProgress> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new Error(
        `no roll-out of "${policyId}" is under way. See: dormouse policy rollout status ${policyId}`,
      );
    }
    if (error instanceof WorkflowUpdateFailedError) throw new Error(error.cause?.message ?? error.message);
    throw error;
  }
}

function announce({ policyId, version, place, counts, paused }: RolloutProgress): void {
  const how = paused === undefined ? place.phase : 'paused';
  console.log(
    `${policyId}@${version}: ${how}; due earlier ${counts.earlier}, woken ${counts.woken}, failed ${counts.failed}`,
  );
}
