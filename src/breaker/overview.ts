/** What operators see of the breaker: trips, pending releases, acts of the day, and waiting identities. */
import type pg from 'pg';
import { type BreakerAction, breakerActions, lifecycleActions } from '../domain/breaker/rules.js';
import { limitWarnings } from '../domain/breaker/size.js';
import type { Trip } from '../domain/breaker/trip.js';
import { breakerRules } from '../domain/plan.js';
import { latestPolicies } from '../policies/policies-table.js';
import { countGrants, population } from './grants-table.js';
import { pendingReleases, type Release } from './releases-table.js';
import { activeTrips } from './trips-table.js';
import { countWaitingTokens } from './waiting-tokens-table.js';

export interface BreakerOverview {
  readonly trips: readonly Trip[];
  readonly pending: readonly Release[];
  /** Acts since `since`. */
  readonly acts: Readonly<Record<BreakerAction, number>>;
  readonly population: number;
  /** Identities. */
  readonly waiting: number;
  /** Token ends that are held, as the latest sweeps found them. */
  readonly waitingTokens: number;
  /** A sentence for each limit of a published policy that does not suit the installation's size. */
  readonly warnings: readonly string[];
}

/**
 * @param since start of the period in which acts are counted, epoch milliseconds
 * @param now acts that fall due from then on are compared with the limits, epoch milliseconds
 */
export async function breakerOverview(pool: pg.Pool, since: number, now: number): Promise<BreakerOverview> {
  const [trips, pending, people, counts, waiting, tokens] = await Promise.all([
    activeTrips(pool),
    pendingReleases(pool),
    population(pool),
    Promise.all(breakerActions.map((action) => countGrants(pool, action, since))),
    pool.query<{ count: string }>("SELECT count(*) FROM standing WHERE blocked_by = 'breaker'"),
    countWaitingTokens(pool),
  ]);
  const [revoke = 0, deactivate = 0, deletion = 0, bury = 0, endPersonal = 0, endRefresh = 0] = counts;
  return {
    trips,
    pending,
    population: people,
    acts: { revoke, deactivate, delete: deletion, bury, endPersonal, endRefresh },
    waiting: Number(waiting.rows[0]?.count ?? 0),
    waitingTokens: tokens,
    warnings: await sizeWarnings(pool, people, now),
  };
}

/**
 * By the latest version of each policy: the acts of its own identities, against
 * limits that count all identities.
 */
async function sizeWarnings(pool: pg.Pool, people: number, now: number): Promise<string[]> {
  const { policies, refused } = await latestPolicies(pool);
  const warnings = refused.map(({ message }) => message);
  for (const { reference, policy } of policies) {
    const rules = breakerRules(policy);
    const due = await dueUntil(pool, reference.id, now + rules.windowMs);
    for (const warning of limitWarnings(rules, { population: people, due })) {
      warnings.push(`policy "${reference.id}": ${warning}`);
    }
  }
  return warnings;
}

async function dueUntil(
  pool: pg.Pool,
  policyId: string,
  until: number,
): Promise<Partial<Record<BreakerAction, number>>> {
  const found = await pool.query<{ next_step: BreakerAction; count: string }>(
    `SELECT next_step, count(*) FROM standing
     WHERE policy_id = $1 AND next_step = ANY($2) AND next_at < $3 AND (blocked_by IS NULL OR blocked_by = 'breaker')
     GROUP BY next_step`,
    [policyId, lifecycleActions, new Date(until)],
  );
  return Object.fromEntries(found.rows.map(({ next_step, count }) => [next_step, Number(count)]));
}

export interface Waiting {
  readonly identityId: string;
  readonly action: string;
  readonly stage: string;
  /** Epoch milliseconds. */
  readonly lastActiveAt: number;
  readonly policy: string;
}

/** Where a page of {@link readWaiting} ended: its last identity. */
export type WaitingPlace = Pick<Waiting, 'lastActiveAt' | 'identityId'>;

/** @returns one page of the identities that wait for the breaker, the longest absent first */
export async function readWaiting(
  pool: pg.Pool,
  { after, rows }: { readonly after?: WaitingPlace; readonly rows: number },
): Promise<Waiting[]> {
  const found = await pool.query<{
    identity_id: string;
    next_step: string | null;
    stage: string;
    last_active_at: Date;
    policy_id: string | null;
    policy_version: number | null;
  }>(
    `SELECT identity_id, next_step, stage, last_active_at, policy_id, policy_version FROM standing
     WHERE blocked_by = 'breaker' AND ($1::timestamptz IS NULL OR (last_active_at, identity_id) > ($1, $2::uuid))
     ORDER BY last_active_at, identity_id LIMIT $3`,
    [after === undefined ? null : new Date(after.lastActiveAt), after?.identityId ?? null, rows],
  );
  return found.rows.map((row) => ({
    identityId: row.identity_id,
    action: row.next_step ?? '',
    stage: row.stage,
    lastActiveAt: row.last_active_at.getTime(),
    policy: row.policy_id === null ? '' : `${row.policy_id}@${row.policy_version}`,
  }));
}

/**
 * Reads by pages, so that a list of any length is cheap.
 * @returns identities that wait for the breaker, the longest absent first
 */
export async function* waitingForBreaker(pool: pg.Pool, pageRows = 1_000): AsyncGenerator<Waiting> {
  let after: WaitingPlace | undefined;
  for (;;) {
    const page = await readWaiting(pool, { rows: pageRows, ...(after && { after }) });
    yield* page;
    after = page.at(-1);
    if (after === undefined || page.length < pageRows) return;
  }
}
