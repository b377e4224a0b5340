/** `dormouse policy rollout …`: see, pause, resume and take back the roll-out of a policy's latest version. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { wholeNumber } from '../cli/numbers.js';
import { type Column, say, sayJson, sayRows } from '../cli/output.js';
import { reasonOption } from '../cli/reason.js';
import { given } from '../domain/given.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import type { progressAnswer, rolloutsAnswer } from './routes.js';

type Rollouts = z.input<typeof rolloutsAnswer>;
type Progress = z.input<typeof progressAnswer>;

interface Reasoned extends ChangeFlags {
  readonly reason: string;
}

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
    .action(
      atGateway(async (gateway, id: string, { json }: { json?: true }) => {
        const { rollouts } = await gateway.get<Rollouts>(`${pathOf(id)}`);
        sayRows(columns, rollouts, {
          json: json === true,
          none: 'No version of this policy was rolled out: nobody slept under an earlier one.',
        });
      }),
    );
  changing(
    rollout,
    'pause',
    'wake nobody more; who was woken already goes on, and everybody else looks at their own time',
  );
  changing(rollout, 'resume', 'go on with a roll-out that was paused');
  changing(
    rollout,
    'back',
    'publish the text of an earlier version as the next one, and take that to people instead',
  ).option('--to <version>', 'the earlier version; left out: the one before the version under way');
}

function changing(rollout: Command, deed: 'pause' | 'resume' | 'back', what: string): Command {
  return rollout
    .command(`${deed} <id>`)
    .description(what)
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway((gateway, id: string, flags: Reasoned & { to?: string }) => tell(gateway, id, deed, flags)),
    );
}

async function tell(
  gateway: GatewayCalls,
  id: string,
  deed: string,
  flags: Reasoned & { to?: string },
): Promise<void> {
  const to = flags.to === undefined ? undefined : wholeNumber('--to', flags.to);
  const body = { reason: checkedReason(flags.reason), ...given({ toVersion: to }) };
  const request = { path: `${pathOf(id)}/${deed}`, body, what: `${deed} the roll-out of "${id}"` };
  const progress = await decide<Progress>(gateway, request, flags);
  if (progress === undefined) return;
  if (flags.json === true) return sayJson(progress);
  const { policyId, version, phase, isPaused, earlier, woken, failed } = progress;
  say(
    `${policyId}@${version}: ${isPaused ? 'paused' : phase}; due earlier ${earlier}, woken ${woken}, failed ${failed}`,
  );
}

const pathOf = (id: string) => `/v1/policies/${checkedPolicyId('id', id)}/rollouts`;

const columns: readonly Column<Rollouts['rollouts'][number]>[] = [
  { title: 'policy', of: ({ policyId, version }) => `${policyId}@${version}` },
  {
    title: 'state',
    of: ({ state, phase }) => (phase === undefined || phase === 'done' ? state : `${state} (${phase})`),
  },
  { title: 'since', of: ({ startedAt }) => startedAt },
  { title: 'read', of: ({ seen }) => String(seen) },
  { title: 'due earlier', of: ({ earlier }) => String(earlier) },
  { title: 'woken', of: ({ woken }) => String(woken) },
  { title: 'failed', of: ({ failed }) => String(failed) },
];
