/**
 * Ends sessions that are over a limit though nobody asks for them, and carries out in Kratos and Hydra what is still owed. Two sweeps at
 * once are harmless: one of them ends each session.
 */
import type pg from 'pg';
import { given } from '../domain/given.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { limitsFor } from '../domain/sessions/limits.js';
import type { SessionsPolicy } from '../domain/sessions/policy.js';
import { judge } from '../domain/sessions/verdict.js';
import { OutageWatch } from '../process/outage.js';
import { closeSession, type SessionClosers } from './close.js';
import {
  endSession,
  markClosed,
  readPerhapsOver,
  readUnclosed,
  type StoredSession,
} from './sessions-table.js';

export interface SweepDependencies {
  readonly pool: pg.Pool;
  readonly closers: SessionClosers;
  /** Called between two sessions. */
  readonly onProgress?: () => void;
}

export interface SweptPolicy {
  readonly policy: SessionsPolicy;
  /** Absent: the app's own; sessions without a published policy are judged. */
  readonly reference?: PolicyReference;
}

export interface Swept {
  /** Sessions that this sweep ended. */
  readonly ended: number;
  /** Ends that it carried out in Kratos and Hydra. */
  readonly closed: number;
  /** Ends that Kratos or Hydra did not take: the next sweep tries again. */
  readonly failed: number;
}

const pageSize = 500;

/** Ends the sessions of one policy that are over a limit without a route. @param now epoch milliseconds */
export async function endOverdue(
  { pool, onProgress }: Pick<SweepDependencies, 'pool' | 'onProgress'>,
  { policy, reference }: SweptPolicy,
  now: number,
): Promise<number> {
  const bounds = shortestLimits(policy);
  let ended = 0;
  let after: string | undefined;
  for (;;) {
    const page = await readPerhapsOver(pool, {
      policyId: reference?.id ?? null,
      now,
      inactiveSince: now - bounds.idleMs,
      authenticatedBefore: now - bounds.absoluteMs,
      limit: pageSize,
      ...given({ after }),
    });
    for (const session of page) {
      onProgress?.();
      if (await endIfOver(pool, session, { policy, ...given({ reference }) }, now)) ended += 1;
    }
    after = page.at(-1)?.sessionId;
    if (page.length < pageSize) return ended;
  }
}

/** Carries out in Kratos and Hydra what is owed. */
export async function closeEnded(
  { pool, closers, onProgress }: SweepDependencies,
  now: number,
): Promise<Omit<Swept, 'ended'>> {
  const counts = { closed: 0, failed: 0 };
  const watch = new OutageWatch();
  let after: string | undefined;
  for (;;) {
    const page = await readUnclosed(pool, after, pageSize);
    for (const session of page) {
      onProgress?.();
      try {
        const isWhole = await closeSession(closers, session);
        watch.succeeded();
        if (!isWhole) continue;
        await markClosed(pool, session.sessionId, now);
        counts.closed += 1;
      } catch (error) {
        counts.failed += 1;
        if (watch.failed(error)) return counts;
      }
    }
    after = page.at(-1)?.sessionId;
    if (page.length < pageSize) return counts;
  }
}

async function endIfOver(
  pool: pg.Pool,
  session: StoredSession,
  { policy, reference }: SweptPolicy,
  now: number,
): Promise<boolean> {
  const verdict = judge(session, limitsFor(policy, session), now);
  if (verdict.state === 'live') return false;
  const { sessionId } = session;
  const { reason, rule, endedAt } = verdict;
  return endSession(
    pool,
    { sessionId, reason, endedAt, judged: session, ...given({ rule, policy: reference }) },
    now,
  );
}

/** The shortest limits that any session can be under where no route counts: what is younger is over none. */
function shortestLimits(policy: SessionsPolicy): { idleMs: number; absoluteMs: number } {
  const named = [...Object.values(policy.roles), ...Object.values(policy.assurance)];
  const idles = [
    policy.idle,
    policy.devices.mobile,
    policy.devices.desktop,
    ...named.map((limits) => limits?.idle),
    ...Object.values(policy.choices?.ceilings ?? {}),
  ].filter((ms): ms is number => typeof ms === 'number');
  const absolutes = [policy.absolute, ...named.flatMap((limits) => limits?.absolute ?? [])];
  return { idleMs: Math.min(...idles, policy.absolute), absoluteMs: Math.min(...absolutes) };
}
