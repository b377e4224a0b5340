/** `dormouse policy rollout …`: see, pause, resume and take back the roll-out of a policy's latest version. */
import type { Command } from 'commander';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool, withTemporal } from '../cli/connection.js';
import { wholeNumber } from '../cli/numbers.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import type { DecidedRollout, RolloutProgress } from '../workflows/rollout-messages.js';
import { isUnderWay, pauseRollout, queryRollout, resumeLatestRollout, takeBackRollout } from './decisions.js';
import { type RolloutRow, readRollouts } from './rollouts-table.js';
import type { RolloutPlaceOfWork } from './start.js';

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
  // PostgreSQL has the state; the workflow has the counts of this moment.
  const progress =
    latest !== undefined && isUnderWay(latest)
      ? await withTemporal((place) => queryRollout(place, policyId))
      : undefined;
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

async function pause(id: string, flags: Decision): Promise<void> {
  await tell(id, flags, pauseRollout);
}

async function resume(id: string, flags: Decision): Promise<void> {
  await tell(id, flags, (place, policyId, decision) =>
    withPool((pool) => resumeLatestRollout({ ...place, pool }, policyId, decision)),
  );
}

async function back(id: string, flags: Decision & { to?: string }): Promise<void> {
  const to = flags.to === undefined ? {} : { to: wholeNumber('--to', flags.to) };
  await tell(id, flags, (place, policyId, decision) =>
    takeBackRollout(place, policyId, { ...decision, ...to }),
  );
}

/** Checks the decision, hands it to the roll-out, and says what came of it. */
async function tell(
  id: string,
  flags: Decision,
  ask: (place: RolloutPlaceOfWork, policyId: string, decision: DecidedRollout) => Promise<RolloutProgress>,
): Promise<void> {
  const policyId = checkedPolicyId('id', id);
  const { actor, reason } = checkedDecision(flags);
  announce(await withTemporal((place) => ask(place, policyId, { schemaVersion: 1, actor, reason })));
}

function announce({ policyId, version, place, counts, paused }: RolloutProgress): void {
  const how = paused === undefined ? place.phase : 'paused';
  console.log(
    `${policyId}@${version}: ${how}; due earlier ${counts.earlier}, woken ${counts.woken}, failed ${counts.failed}`,
  );
}
