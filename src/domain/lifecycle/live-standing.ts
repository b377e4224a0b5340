/** Where an identity stands, with what only operators ask for. Pure. */
import { given } from '../given.js';
import type { LiveStanding, SessionsEnd } from '../standing.js';
import { scheduleOf } from './clock.js';
import { decide, pendingRung, type Situation } from './decide.js';
import { governingHold } from './holds.js';
import { obstaclesOf } from './obstacles.js';
import { standingOf } from './standing-of.js';

/** @param inProgress the step being carried out, where one is */
export function liveStandingOf(situation: Situation, inProgress?: string): LiveStanding {
  const { state, plan } = situation;
  // A return comes whatever is in the way of the ladder, and takes that back too.
  const isReturning = decide(situation).kind === 'return';
  return {
    ...standingOf(situation, inProgress),
    obstacles: isReturning ? [] : obstaclesOf({ ...situation, rung: pendingRung(state, plan) }),
    ...given({ sessionsEnd: sessionsEndOf(situation) }),
  };
}

function sessionsEndOf({ state, plan, now }: Situation): SessionsEnd | undefined {
  const revoke = plan.rungs.find(({ rung }) => rung === 'revoke');
  if (revoke === undefined) return undefined;
  const { afterMs } = revoke;
  const standsStill = plan.exempt !== undefined || governingHold(state, now) !== undefined;
  const isPending = pendingRung(state, { ...plan, rungs: [revoke] }) !== undefined;
  return standsStill || !isPending ? { afterMs } : { afterMs, at: scheduleOf(state, revoke).dueAt };
}
