/** `dormouse standing|hold|…`: operators' questions and decisions about one identity. */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import { inFuture } from '../cli/durations.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { identityOf, identityParameter } from '../cli/identity.js';
import { wholeNumber } from '../cli/numbers.js';
import { say, sayJson } from '../cli/output.js';
import { reasonOption } from '../cli/reason.js';
import { beginOf } from '../cli/times.js';
import { formatDuration } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { type HoldKind, holdKinds } from '../domain/lifecycle/holds.js';
import { rfc3339 } from '../domain/rfc3339.js';
import type { liveStandingAnswer, standingAnswer, withoutLifecycleAnswer } from '../http/schemas.js';

/** As it is sent: times are RFC 3339. */
export type StandingAnswer = z.input<typeof standingAnswer>;
type HeldAnswer = StandingAnswer | z.input<typeof withoutLifecycleAnswer>;
type LiveStanding = z.input<typeof liveStandingAnswer>;

interface Reasoned extends ChangeFlags {
  readonly reason: string;
}

export function addIdentityCommands(program: Command): void {
  program
    .command(`standing ${identityParameter}`)
    .description('where an identity stands, what comes next, when, and why')
    .option(...jsonOption)
    .action(atGateway(showStanding));
  program
    .command(`hold ${identityParameter}`)
    .description('stop all rungs and mails for a while, beside holds that stand already')
    .requiredOption(...reasonOption)
    .requiredOption('--for <duration>', 'how long, as 90d')
    .addOption(new Option('--kind <kind>', 'of the hold').choices(holdKinds).default('other'))
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: Reasoned & { for: string; kind: HoldKind }) => {
        const until = rfc3339(inFuture('--for', flags.for));
        const body = { reason: checkedReason(flags.reason), kind: flags.kind, until };
        await settle(gateway, text, { deed: 'hold', body, what: `hold it until ${until}` }, flags);
      }),
    );
  program
    .command(`release ${identityParameter}`)
    .description('end one hold early')
    .requiredOption(...reasonOption)
    .option('--hold <holdId>', 'which, as h2; left out: the only one')
    .addOption(new Option('--kind <kind>', 'the one of this kind').choices(holdKinds))
    .option('--legal', 'the legal hold; the same as --kind legal')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(
        async (gateway, text: string, flags: Reasoned & { hold?: string; kind?: HoldKind; legal?: true }) => {
          const kind = flags.legal === true ? 'legal' : flags.kind;
          const body = { reason: checkedReason(flags.reason), ...given({ holdId: flags.hold, kind }) };
          await settle(gateway, text, { deed: 'release', body, what: 'end the hold' }, flags);
        },
      ),
    );
  program
    .command(`reactivate ${identityParameter}`)
    .description('bring back an identity that the engine deactivated')
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: Reasoned) => {
        const body = { reason: checkedReason(flags.reason) };
        await settle(gateway, text, { deed: 'reactivate', body, what: 'bring it back' }, flags);
      }),
    );
  program
    .command(`apply-policy ${identityParameter} <policyId>`)
    .description('follow another policy, or one version of it')
    .option('--version <number>', 'stay at this version; left out: follow the latest')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(
        async (gateway, text: string, policyId: string, flags: ChangeFlags & { version?: string }) => {
          const version = flags.version === undefined ? undefined : wholeNumber('--version', flags.version);
          const body = { policyId, ...given({ version }) };
          await settle(
            gateway,
            text,
            { deed: 'apply-policy', body, what: `let it follow ${policyId}` },
            flags,
          );
        },
      ),
    );
  program
    .command(`enrol ${identityParameter}`)
    .description("start an identity's lifecycle; those of everybody: dormouse server enrol --all")
    .option('--policy <id>', 'the policy to follow; left out: the one that the gateway is set to')
    .option(
      '--last-active-at <time>',
      'its last known sign of life, as 2026-01-31T00:00:00Z; counts where it is later than its creation in Kratos',
    )
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(atGateway(enrol));
  program
    .command(`look-again ${identityParameter}`)
    .description('let its lifecycle look at everything again now')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: ChangeFlags) => {
        const path = `/v1/identities/${await identityOf(gateway, text)}/look-again`;
        const answer = await decide(gateway, { path, what: 'let it look again' }, flags);
        if (answer === undefined) return;
        if (flags.json) sayJson(answer);
        else say('told');
      }),
    );
}

async function enrol(
  gateway: GatewayCalls,
  text: string,
  { policy, lastActiveAt, ...flags }: ChangeFlags & { policy?: string; lastActiveAt?: string },
): Promise<void> {
  const at = lastActiveAt === undefined ? undefined : rfc3339(beginOf('--last-active-at', lastActiveAt));
  const id = await identityOf(gateway, text);
  const request = {
    path: `/v1/identities/${id}/enrol`,
    body: given({ policyId: policy, lastActiveAt: at }),
    what: `start the lifecycle of ${id}`,
  };
  const answer = await decide<{ started: boolean }>(gateway, request, flags);
  if (answer === undefined) return;
  if (flags.json === true) sayJson(answer);
  else say(answer.started ? 'started' : 'it runs already');
}

async function showStanding(gateway: GatewayCalls, text: string, { json }: { json?: true }): Promise<void> {
  const path = `/v1/identities/${await identityOf(gateway, text)}`;
  const standing = await gateway.get<LiveStanding>(`${path}/standing`, { live: true });
  if (json === true) return sayJson(standing);
  print(standing);
  const { credentials = [], obstacles = [] } = standing;
  // The first is in the sentence above.
  for (const { by, why } of obstacles.slice(1)) say(`also      ${by}: ${why}`);
  for (const credential of credentials) say(`ends      ${lineOf(credential)}`);
}

export interface Deed {
  /** The last part of the route. */
  readonly deed: string;
  readonly body: object;
  readonly what: string;
}

/** Asks for a decision about an identity, and prints where it stands then. For a dry run: where it stands now. */
export async function settle(
  gateway: GatewayCalls,
  text: string,
  { deed, body, what }: Deed,
  flags: ChangeFlags,
): Promise<void> {
  const id = await identityOf(gateway, text);
  const path = `/v1/identities/${id}/${deed}`;
  const answer = await decide<HeldAnswer>(gateway, { path, body, what: `${what} (${id})` }, flags);
  if (answer === undefined) return;
  if (flags.json === true) sayJson(answer);
  else printHeld(answer);
}

/** After a hold or a release: the standing, or the holds alone where no lifecycle runs. */
function printHeld(answer: HeldAnswer): void {
  if (answer.stage !== 'none') {
    print(answer);
    return;
  }
  say('stage     none');
  say(`why       ${answer.why}`);
  printHolds(answer.holds);
}

function lineOf({
  kind,
  type,
  policyId,
  inactiveMs,
  live,
  nextEndAt,
}: NonNullable<LiveStanding['credentials']>[number]): string {
  const limit = inactiveMs === null ? 'never end unused' : `end unused after ${formatDuration(inactiveMs)}`;
  const next = nextEndAt === undefined ? '' : `, the next at ${nextEndAt}`;
  const count = live === undefined ? '' : `: ${live} live`;
  return `${kind}${type === undefined ? '' : ` (${type})`} ${limit}, by policy ${policyId}${count}${next}`;
}

/** Prints a standing as lines for people. */
function print(standing: StandingAnswer): void {
  const { stage, since, lastActiveAt, policy, why, holds, warnings, next } = standing;
  say(`stage     ${stage} since ${since}`);
  say(`last seen ${lastActiveAt}`);
  if (policy !== undefined) say(`policy    ${policy.id} version ${policy.version}`);
  if (next !== undefined)
    say(`next      ${next.step === 'notice' ? `notice of ${next.rung}` : next.rung} at ${next.at}`);
  say(`why       ${why}`);
  printHolds(holds);
  for (const warning of warnings) say(`warning   ${warning}`);
}

function printHolds(holds: StandingAnswer['holds'] = []): void {
  for (const { id, kind = 'other', until, actor, reason } of holds)
    say(`hold      ${id ?? '-'} ${kind} until ${until}, by ${actor}: ${reason}`);
}
