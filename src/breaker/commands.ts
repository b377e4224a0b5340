/** `dormouse breaker …`: see, trip and release the breaker. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type pg from 'pg';
import { actorOption, checkedActor, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool, withTemporal } from '../cli/connection.js';
import { wholeNumber } from '../cli/numbers.js';
import { wake } from '../cli/wake.js';
import { breakerActions } from '../domain/breaker/rules.js';
import { adviceFor, type Trip, type TripScope } from '../domain/breaker/trip.js';
import { dayMs } from '../domain/duration.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { inTransaction } from '../postgres/pool.js';
import { approveRelease, proposeRelease, tripAndAudit } from './decisions.js';
import { breakerOverview, waitingForBreaker } from './overview.js';
import type { Release } from './releases-table.js';
import { waitingTokens } from './waiting-tokens-table.js';

export function addBreakerCommands(program: Command): void {
  const breaker = program
    .command('breaker')
    .description('the limit on destructive acts: see, trip and release it');
  breaker
    .command('status')
    .description('what is tripped and why, what was done within a day, and who waits')
    .option('--json', 'all of it as JSON')
    .action(async (options: { json?: true }) => {
      await withPool((pool) => status(pool, options.json === true));
    });
  breaker
    .command('waiting')
    .description('identities whose next step waits for the breaker, the longest absent first')
    .option('--tokens', 'tokens over a limit instead, whose end the latest sweeps found held')
    .option('--csv', 'as CSV; its first column is what "release --identities" reads')
    .action(async (options: { csv?: true; tokens?: true }) => {
      const list = options.tokens === true ? listTokens : waiting;
      await withPool((pool) => list(pool, options.csv === true));
    });
  breaker
    .command('trip <scope>')
    .description(`stop ${breakerActions.join(', ')} or all at once`)
    .requiredOption(...reasonOption)
    .option('--operators <number>', 'different operators that its release needs', '1')
    .option(...actorOption)
    .action(async (scope: string, options: Decision & { operators: string }) => {
      const tripped = await withPool((pool) => tripByHand(pool, scope, options));
      console.log(`trip ${tripped.id}: ${tripped.scope} stopped (${tripped.why})`);
    });
  breaker
    .command('release <tripId>')
    .description('end a trip, or let a list of identities pass although it stays')
    .requiredOption(...reasonOption)
    .option('--all', 'end the trip')
    .option('--identities <file>', 'only these: one UUID a line, or CSV with it in the first column')
    .option(...actorOption)
    .action(async (tripId: string, options: Decision & { all?: true; identities?: string }) => {
      if ((options.all === true) === (options.identities !== undefined)) {
        throw new Error('say --all to end the trip, or --identities FILE to let only these pass');
      }
      const { identities: file, actor, reason } = checkedDecision(options);
      const listed = file === undefined ? {} : { identities: await readIdentities(file) };
      const request = { tripId: wholeNumber('tripId', tripId), actor, reason, at: Date.now(), ...listed };
      await conclude(await withPool((pool) => proposeRelease(pool, request)));
    });
  breaker
    .command('approve <releaseId>')
    .description('agree, as another operator, to a release that was proposed')
    .option(...actorOption)
    .action(async (releaseId: string, options: { actor: string }) => {
      const request = { releaseId: wholeNumber('releaseId', releaseId), actor: checkedActor(options.actor) };
      await conclude(await withPool((pool) => approveRelease(pool, { ...request, at: Date.now() })));
    });
}

async function tripByHand(
  pool: pg.Pool,
  scope: string,
  options: Decision & { operators: string },
): Promise<Trip> {
  const { actor, reason } = checkedDecision(options);
  const scopes: readonly string[] = [...breakerActions, 'all'];
  if (!scopes.includes(scope)) throw new Error(`scope: must be one of ${scopes.join(', ')}`);
  return inTransaction(pool, (client) =>
    tripAndAudit(
      client,
      {
        scope: scope as TripScope,
        cause: 'operator',
        why: reason,
        trippedAt: Date.now(),
        operators: wholeNumber('--operators', options.operators),
      },
      actor,
    ),
  );
}

async function status(pool: pg.Pool, asJson: boolean): Promise<void> {
  const overview = await breakerOverview(pool, Date.now() - dayMs, Date.now());
  if (asJson) {
    console.log(JSON.stringify(overview, null, 2));
    return;
  }
  const { trips, pending, acts, population, waiting: count, waitingTokens: tokens, warnings } = overview;
  if (trips.length === 0) console.log('not tripped');
  for (const { id, scope, cause, why, trippedAt, operators } of trips) {
    console.log(`trip ${id}   ${scope} stopped since ${new Date(trippedAt).toISOString()} (${cause})`);
    console.log(`         ${why}`);
    console.log(`         ${adviceFor(cause)}`);
    if (operators > 1) console.log(`         its release takes ${operators} different operators`);
  }
  for (const { id, tripId, reason, actors, operators, identities } of pending) {
    const covers = identities === undefined ? 'all' : `${identities.length} identities`;
    console.log(
      `release ${id} of trip ${tripId} (${covers}; ${reason}) has ${actors.join(', ')}: ${actors.length} of ${operators} operators`,
    );
  }
  const done = breakerActions.map((action) => `${acts[action]} × ${action}`).join(', ');
  console.log(`within a day: ${done}, of ${population} identities`);
  console.log(`waiting: ${count}${count === 0 ? '' : ' (dormouse breaker waiting)'}`);
  if (tokens > 0) console.log(`tokens that wait: ${tokens} (dormouse breaker waiting --tokens)`);
  for (const warning of warnings) console.log(`warning: ${warning}`);
}

async function listTokens(pool: pg.Pool, asCsv: boolean): Promise<void> {
  if (asCsv) console.log('identity_id,action,token,why,waits_since,sweep');
  for await (const { identityId, action, token, why, waitsSince, sweep } of waitingTokens(pool)) {
    const fields = [identityId, action, token, why, new Date(waitsSince).toISOString(), sweep];
    console.log(fields.join(asCsv ? ',' : '  '));
  }
}

async function waiting(pool: pg.Pool, asCsv: boolean): Promise<void> {
  if (asCsv) console.log('identity_id,action,stage,last_active_at,policy');
  for await (const { identityId, action, stage, lastActiveAt, policy } of waitingForBreaker(pool)) {
    const fields = [identityId, action, stage, new Date(lastActiveAt).toISOString(), policy];
    console.log(fields.join(asCsv ? ',' : '  '));
  }
}

async function readIdentities(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  const ids = lines.flatMap((line, index) => {
    const [first = ''] = line.split(',');
    if (first.trim() === '' || (index === 0 && first === 'identity_id')) return [];
    try {
      return [parseIdentityId(first.trim())];
    } catch {
      throw new Error(`${file}:${index + 1}: does not begin with the UUID of an identity`);
    }
  });
  if (ids.length === 0) throw new Error(`${file} holds no identity`);
  return [...new Set(ids)];
}

/** More would keep the operator waiting. The workers wake the rest. */
const wokenAtOnce = 200;

/** Wakes the first lifecycles that wait for the breaker. */
async function conclude(release: Release): Promise<void> {
  if (release.effectiveAt === undefined) {
    const missing = release.operators - release.actors.length;
    console.log(
      `release ${release.id} waits for ${missing} more operator: dormouse breaker approve ${release.id} --actor <other>`,
    );
    return;
  }
  const { identities } = release;
  const ids = identities ?? (await withPool(everybodyWaiting));
  const woken = await withTemporal(({ client }) => wake(client, ids.slice(0, wokenAtOnce)));
  const rest = ids.length - wokenAtOnce;
  console.log(
    `released. ${woken} of ${ids.length} were woken to go on${rest > 0 ? '; the workers wake the others, some 50 a second' : ''}`,
  );
}

async function everybodyWaiting(pool: pg.Pool): Promise<string[]> {
  const ids: string[] = [];
  for await (const { identityId } of waitingForBreaker(pool)) ids.push(identityId);
  return ids;
}
