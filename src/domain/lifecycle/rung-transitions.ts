/** How the memory of rungs changes. Pure. */
import type { PlanRung } from '../plan.js';
import type { RungName } from '../rungs.js';
import { stageOf } from './stage.js';
import type { LifecycleState, RungRecord } from './state.js';

/** A rung was begun. Beginning it again keeps the first time: retries are the same act. */
export function withRungBegun(
  state: LifecycleState,
  rung: PlanRung,
  since: number,
  now: number,
): LifecycleState {
  if (state.rungs[rung.rung] !== undefined) return state;
  const record: RungRecord = { begunAt: now, inactiveSince: since, afterMs: rung.afterMs };
  return { ...state, rungs: { ...state.rungs, [rung.rung]: record } };
}

/** @param more further fields to remember with it */
export function withRungCompleted(
  state: LifecycleState,
  rung: RungName,
  now: number,
  more: Pick<RungRecord, 'announcedAt'> = {},
): LifecycleState {
  const record = state.rungs[rung];
  if (record === undefined) throw new Error(`rung ${rung} was completed without having begun`);
  const next = { ...state, rungs: { ...state.rungs, [rung]: { ...record, completedAt: now, ...more } } };
  return stageOf(next) === stageOf(state) ? next : { ...next, stageSince: now };
}

/** A rung that was begun and given up before it had any effect. */
export function withoutRung(state: LifecycleState, rung: RungName): LifecycleState {
  const { [rung]: _dropped, ...rungs } = state.rungs;
  return { ...state, rungs };
}
