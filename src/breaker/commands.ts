/** `dormouse breaker …`: see, trip and release the breaker. */
import { readFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { confirmed, yesOption } from '../cli/confirm.js';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { jsonLines } from '../cli/lines.js';
import { wholeNumber } from '../cli/numbers.js';
import { say, sayJson, sayRows } from '../cli/output.js';
import { reasonOption } from '../cli/reason.js';
import { breakerActions } from '../domain/breaker/rules.js';
import { adviceFor, type TripCause, tripCauses } from '../domain/breaker/trip.js';
import { parseIdentityId } from '../domain/identity-id.js';
import type { overviewAnswer, releaseAnswer, tripAnswer } from './routes.js';

type Overview = z.input<typeof overviewAnswer>;
type Release = z.input<typeof releaseAnswer>;
type Trip = z.input<typeof tripAnswer>;

interface Reasoned extends ChangeFlags {
  readonly reason: string;
}

interface ReleaseFlags extends Reasoned {
  readonly all?: true;
  readonly identities?: string;
  readonly yes?: true;
}

export function addBreakerCommands(program: Command): void {
  const breaker = program
    .command('breaker')
    .description('the limit on destructive acts: see, trip and release it');
  breaker
    .command('status')
    .description('what is tripped and why, what was done within a day, and who waits')
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, { json }: { json?: true }) => {
        const overview = await gateway.get<Overview>('/v1/breaker');
        if (json === true) sayJson(overview);
        else sayOverview(overview);
      }),
    );
  breaker
    .command('waiting')
    .description('identities whose next step waits for the breaker, the longest absent first')
    .option('--tokens', 'tokens over a limit instead, whose end the latest sweeps found held')
    .option('--csv', 'as CSV; its first column is what "release --identities" reads')
    .option('--json', 'one JSON object a line')
    .action(
      atGateway((gateway, flags: ListFlags) =>
        (flags.tokens === true ? listTokens : waiting)(gateway, flags),
      ),
    );
  breaker
    .command('trip')
    .addArgument(new Argument('<scope>', 'what is stopped').choices([...breakerActions, 'all']))
    .description('stop one kind of act, or all at once')
    .requiredOption(...reasonOption)
    .option('--operators <number>', 'different operators that its release needs', '1')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, scope: string, flags: Reasoned & { operators: string }) => {
        const operators = wholeNumber('--operators', flags.operators);
        const body = { scope, reason: checkedReason(flags.reason), operators };
        const request = { path: '/v1/breaker/trips', body, what: `stop ${scope}` };
        const trip = await decide<Trip>(gateway, request, flags);
        if (trip === undefined) return;
        if (flags.json === true) sayJson(trip);
        else say(`trip ${trip.id}: ${trip.scope} stopped (${trip.why})`);
      }),
    );
  breaker
    .command('release <tripId>')
    .description('end a trip, or let a list of identities pass although it stays')
    .requiredOption(...reasonOption)
    .option('--all', 'end the trip')
    .option('--identities <file>', 'only these: one UUID a line, or CSV with it in the first column')
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(atGateway(release));
  breaker
    .command('approve <releaseId>')
    .description('agree, as another operator, to a release that was proposed')
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: ChangeFlags & { yes?: true }) => {
        const id = wholeNumber('releaseId', text);
        await conclude(
          gateway,
          { path: `/v1/breaker/releases/${id}/approvals`, what: `agree to release ${id}` },
          flags,
        );
      }),
    );
}

function sayOverview({
  trips,
  pending,
  acts,
  population,
  waiting: count,
  waitingTokens: tokens,
  warnings,
}: Overview): void {
  if (trips.length === 0) say('not tripped');
  for (const { id, scope, cause, why, trippedAt, operators } of trips) {
    say(`trip ${id}   ${scope} stopped since ${trippedAt} (${cause})`);
    say(`         ${why}`);
    if (isCause(cause)) say(`         ${adviceFor(cause)}`);
    if (operators > 1) say(`         its release takes ${operators} different operators`);
  }
  for (const { id, tripId, reason, actors, operators, identities } of pending) {
    const covers = identities === undefined ? 'all' : `${identities.length} identities`;
    say(
      `release ${id} of trip ${tripId} (${covers}; ${reason}) has ${actors.join(', ')}: ${actors.length} of ${operators} operators`,
    );
  }
  const done = breakerActions.map((action) => `${acts[action]} × ${action}`).join(', ');
  say(`within a day: ${done}, of ${population} identities`);
  say(`waiting: ${count}${count === 0 ? '' : ' (dormouse breaker waiting)'}`);
  if (tokens > 0) say(`tokens that wait: ${tokens} (dormouse breaker waiting --tokens)`);
  for (const warning of warnings) say(`warning: ${warning}`);
}

/** A gateway of a later release may know more of them. */
const isCause = (cause: string): cause is TripCause => tripCauses.some((known) => known === cause);

interface Waiting {
  readonly identityId: string;
  readonly action: string;
  readonly stage: string;
  readonly lastActiveAt: string;
  readonly policy: string;
}

interface WaitingToken {
  readonly identityId: string;
  readonly action: string;
  readonly token: string;
  readonly why: string;
  readonly waitsSince: string;
  readonly sweep: string;
}

interface ListFlags {
  readonly tokens?: true;
  readonly csv?: true;
  readonly json?: true;
}

async function listTokens(gateway: GatewayCalls, { csv, json }: ListFlags): Promise<void> {
  if (csv === true) say('identity_id,action,token,why,waits_since,sweep');
  const rows: WaitingToken[] = [];
  for await (const one of jsonLines<WaitingToken>(gateway.stream('/v1/breaker/waiting/tokens'))) {
    const { identityId, action, token, why, waitsSince, sweep } = one;
    if (json === true) sayJson(one, 'line');
    else if (csv === true) say([identityId, action, token, why, waitsSince, sweep].join(','));
    else rows.push(one);
  }
  if (json === true || csv === true) return;
  sayRows(
    [
      { title: 'identity', of: ({ identityId }) => identityId },
      { title: 'action', of: ({ action }) => action },
      { title: 'token', of: ({ token }) => token },
      { title: 'why', of: ({ why }) => why },
      { title: 'waits since', of: ({ waitsSince }) => waitsSince },
      { title: 'sweep', of: ({ sweep }) => sweep },
    ],
    rows,
    { json: false, none: 'No token waits.' },
  );
}

async function waiting(gateway: GatewayCalls, { csv, json }: ListFlags): Promise<void> {
  if (csv === true) say('identity_id,action,stage,last_active_at,policy');
  const rows: Waiting[] = [];
  for await (const one of jsonLines<Waiting>(gateway.stream('/v1/breaker/waiting'))) {
    const { identityId, action, stage, lastActiveAt, policy } = one;
    if (json === true) sayJson(one, 'line');
    else if (csv === true) say([identityId, action, stage, lastActiveAt, policy].join(','));
    else rows.push(one);
  }
  if (json === true || csv === true) return;
  sayRows(
    [
      { title: 'identity', of: ({ identityId }) => identityId },
      { title: 'action', of: ({ action }) => action },
      { title: 'stage', of: ({ stage }) => stage },
      { title: 'last seen', of: ({ lastActiveAt }) => lastActiveAt },
      { title: 'policy', of: ({ policy }) => policy },
    ],
    rows,
    { json: false, none: 'Nobody waits.' },
  );
}

async function release(gateway: GatewayCalls, tripId: string, flags: ReleaseFlags): Promise<void> {
  const { all, identities: file } = flags;
  if ((all === true) === (file !== undefined))
    throw new UsageError('say --all to end the trip, or --identities FILE to let only these pass');
  const id = wholeNumber('tripId', tripId);
  const listed = file === undefined ? {} : { identities: await readIdentities(file) };
  const body = { reason: checkedReason(flags.reason), ...listed };
  const whom =
    listed.identities === undefined ? 'everybody who waits' : `${listed.identities.length} identities`;
  const path = `/v1/breaker/trips/${id}/releases`;
  await conclude(gateway, { path, body, what: `release trip ${id} for ${whom}` }, flags);
}

async function conclude(
  gateway: GatewayCalls,
  request: { readonly path: string; readonly body?: object; readonly what: string },
  flags: ChangeFlags & { readonly yes?: true },
): Promise<void> {
  if (flags.dryRun !== true) await confirmed(request.what, flags);
  const answer = await decide<Release>(gateway, request, flags);
  if (answer === undefined) return;
  if (flags.json === true) return sayJson(answer);
  const { id, operators, actors, effectiveAt, identities } = answer;
  if (effectiveAt === undefined) {
    say(`release ${id} waits for ${operators - actors.length} more operator: dormouse breaker approve ${id}`);
    return;
  }
  const whom = identities === undefined ? 'everybody who waits' : `the ${identities.length} identities`;
  say(`released. The workers wake ${whom}, some 50 a second`);
}

async function readIdentities(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  const ids = lines.flatMap((line, index) => {
    const [first = ''] = line.split(',');
    if (first.trim() === '' || (index === 0 && first === 'identity_id')) return [];
    try {
      return [parseIdentityId(first.trim())];
    } catch {
      throw new UsageError(`${file}:${index + 1}: does not begin with the UUID of an identity`);
    }
  });
  if (ids.length === 0) throw new UsageError(`${file} holds no identity`);
  return [...new Set(ids)];
}
