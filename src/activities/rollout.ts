/** The activity that wakes lifecycles for a new version of their policy. It may run again at any time. */
import type { IdentityApi } from '@ory/client';
import { Context, type Info, log } from '@temporalio/activity';
import type pg from 'pg';
import { z } from 'zod';
import { dayMs } from '../domain/duration.js';
import { given } from '../domain/given.js';
import type { Standing } from '../domain/standing.js';
import { readPolicy } from '../looks/plan-in-force.js';
import type { PolicyReader, StoredPolicy } from '../policies/policies-table.js';
import { type Member, readMembers } from '../preview/people.js';
import { causeOf } from '../process/cause.js';
import type { Clock } from '../process/clock.js';
import { Pacer, type PacerClock } from '../process/pacer.js';
import { wakeLifecycle } from '../process/wake-lifecycle.js';
import { dueUnder, isEarlier } from '../rollout/due.js';
import { readSleepers } from '../rollout/sleepers.js';
import type { RolloutPlace, RolloutPosition } from '../workflows/rollout-messages.js';

export interface RolloutDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly policies: PolicyReader;
  readonly clock: Clock;
}

export interface WakeEarlierInput {
  readonly policyId: string;
  readonly version: number;
  /** When the roll-out began, epoch milliseconds. */
  readonly startedAt: number;
  readonly position: RolloutPosition;
  /** Most lifecycles woken a second. */
  readonly perSecond: number;
  /** No page begins after this time, milliseconds. */
  readonly forMs: number;
}

/** Standings per page: a few seconds of signals, after which a stretch may end. */
const pageSize = 150;

/** Whoever is due within this time after the start is woken before the others. */
const urgentMs = dayMs;

interface Waking extends RolloutDependencies {
  readonly input: WakeEarlierInput;
  readonly next: StoredPolicy;
  readonly pacer: Pacer;
  /** Reports a sign of progress. @throws when the attempt was cancelled or has lost its place */
  readonly alive: () => void;
  readonly wake: (identityId: string) => Promise<boolean>;
  readonly isCancelled: () => boolean;
}

export function createRolloutActivities(deps: RolloutDependencies) {
  return {
    /**
     * Wakes lifecycles that would sleep past the time at which this version of their policy has something to do. Ends
     * early, with how far it came, when it is cancelled.
     * @returns the position reached
     */
    async wakeEarlier(input: WakeEarlierInput): Promise<RolloutPosition> {
      const context = Context.current();
      const { policyId, version, perSecond } = input;
      let position = resumed(context.info) ?? input.position;
      const next = await readPolicy(deps.policies, { id: policyId, version });
      const paceClock: PacerClock = {
        now: () => performance.now(),
        sleep: (ms) => context.sleep(ms).catch(() => undefined),
      };
      const isCancelled = () => context.cancellationSignal.aborted;
      const waking: Waking = {
        ...deps,
        ...{ input, next, isCancelled },
        pacer: new Pacer(perSecond, paceClock),
        alive: () => context.heartbeat(position),
        wake: (identityId) => wakeLifecycle(context.client.workflow, identityId),
      };
      const endAt = performance.now() + input.forMs;
      const isOver = () => performance.now() >= endAt || isCancelled();
      do {
        waking.alive();
        position = await turnPage(waking, position);
      } while (!isOver() && !endsPhase(position.place));
      return position;
    },
  };
}

export type RolloutActivities = ReturnType<typeof createRolloutActivities>;

/** The workflow waits before it looks for those who fell asleep late. */
function endsPhase(place: RolloutPlace): boolean {
  return place.phase === 'done' || (place.phase === 'late' && place.after === undefined);
}

async function turnPage(waking: Waking, { place, counts }: RolloutPosition): Promise<RolloutPosition> {
  if (place.phase === 'done') return { place, counts };
  const { policyId, version, startedAt } = waking.input;
  const { phase, after } = place;
  const page = await readSleepers(waking.pool, {
    ...{ policyId, before: version, limit: pageSize },
    ...(after !== undefined && { after }),
    ...(phase === 'late' && { since: startedAt }),
  });
  const { members, unreadable } = await readMembers(waking, page);
  const memberOf = new Map(members.map((member) => [member.known.standing.identityId, member]));
  let { seen, earlier, woken, failed } = counts;
  let last = after;
  for (const standing of page) {
    // What this page did so far is counted, and the next attempt continues behind it.
    if (waking.isCancelled())
      return { place: placeAfter(phase, last), counts: { seen, earlier, woken, failed } };
    const { identityId } = standing;
    const member = unreadable.has(identityId) ? 'unreadable' : memberOf.get(identityId);
    const outcome = await judge(waking, standing, member, phase);
    // What this page did so far is counted, and the next attempt continues behind it.
    if (outcome === undefined) {
      return { place: placeAfter(phase, last), counts: { seen, earlier, woken, failed } };
    }
    last = standing.identityId;
    if (phase === 'urgent') seen += 1;
    if (outcome.isEarlier && phase !== 'rest') earlier += 1;
    if (outcome.isWoken) woken += 1;
    if (outcome.hasFailed) failed += 1;
  }
  const isLast = page.length < pageSize;
  return {
    place: isLast ? following[phase] : placeAfter(phase, last),
    counts: { seen, earlier, woken, failed },
  };
}

const following = {
  urgent: { phase: 'rest' },
  rest: { phase: 'late' },
  late: { phase: 'done' },
} as const satisfies Record<string, RolloutPlace>;

function placeAfter(phase: 'urgent' | 'rest' | 'late', after: string | undefined): RolloutPlace {
  return after === undefined ? { phase } : { phase, after };
}

interface Outcome {
  readonly isEarlier?: boolean;
  readonly isWoken?: boolean;
  readonly hasFailed?: boolean;
}

/** @returns `undefined` where the activity was cancelled before anything was done */
async function judge(
  waking: Waking,
  standing: Standing,
  member: Member | 'unreadable' | undefined,
  phase: 'urgent' | 'rest' | 'late',
): Promise<Outcome | undefined> {
  // The sweep of the reconciliation looks after an identity that Kratos does not list.
  if (member === undefined) return {};
  const { identityId } = standing;
  const { startedAt } = waking.input;
  const dueAt = member === 'unreadable' ? 'unknown' : await dueOf(waking, member);
  if (dueAt === 'unknown') {
    // Its own look decides, and reports what is wrong.
    if (phase === 'rest') return {};
    const outcome = await wakeInTurn(waking, identityId);
    return outcome && { ...outcome, hasFailed: true };
  }
  // guard: roll-out: nobody is woken whose date stays
  if (!isEarlier(standing, dueAt)) return {};
  const isUrgent = dueAt < startedAt + urgentMs;
  if (phase !== 'late' && isUrgent !== (phase === 'urgent')) return { isEarlier: true };
  const outcome = await wakeInTurn(waking, identityId);
  return outcome && { ...outcome, isEarlier: true };
}

/** @returns `undefined` where the activity was cancelled before the turn came */
async function wakeInTurn(waking: Waking, identityId: string): Promise<Outcome | undefined> {
  await waking.pacer.turn();
  waking.alive();
  if (waking.isCancelled()) return undefined;
  try {
    return { isWoken: await waking.wake(identityId) };
  } catch {
    log.warn('a lifecycle could not be woken for a new version of its policy', { identityId });
    return { hasFailed: true };
  }
}

/** @returns when the next step is due; `unknown` for a lifecycle that can't be judged */
async function dueOf(
  { policies, clock, input: { policyId }, next }: Waking,
  member: Member,
): Promise<number | 'unknown' | undefined> {
  const { identityId, policy } = member.known.standing;
  const now = await clock.now();
  try {
    const inForce = await readPolicy(policies, { id: policyId, ...given({ version: policy?.version }) });
    return dueUnder(member, inForce, next, now);
  } catch (error) {
    log.warn('a lifecycle could not be judged by a new version of its policy, so it is woken', {
      identityId,
      ...causeOf(error),
    });
    return 'unknown';
  }
}

const count = z.number().int().nonnegative();
const positionSchema = z.object({
  place: z.union([
    z.object({ phase: z.enum(['urgent', 'rest', 'late']), after: z.guid().exactOptional() }),
    z.object({ phase: z.literal('done') }),
  ]),
  counts: z.object({ seen: count, earlier: count, woken: count, failed: count }),
});

/** The position of an earlier attempt. An unreadable heartbeat of another build counts as none. */
function resumed(info: Info): RolloutPosition | undefined {
  return positionSchema.safeParse(info.heartbeatDetails).data;
}
