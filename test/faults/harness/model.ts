/**
 * Judges a whole history of (activity, action) by the policy as its text reads. Shares nothing with the engine: no state, no
 * schedule, only what happened when. Pure.
 */
const dayMs = 86_400_000;

export interface Interval {
  readonly from: number;
  /** Absent: to the end. */
  readonly to?: number;
}

export interface Happened {
  readonly enrolledAt: number;
  readonly endsAt: number;
  /** Signs of life that count, epoch milliseconds. */
  readonly signs: readonly number[];
  readonly holds: readonly Interval[];
  readonly exemptFrom?: number;
  readonly disabledByHand: readonly Interval[];
  readonly actions: readonly { readonly at: number; readonly name: string; readonly rung?: unknown }[];
  /** At the end. */
  readonly stage: string;
  readonly kratos: 'active' | 'inactive' | 'absent';
  readonly parked: boolean;
}

export interface Thresholds {
  readonly warn: number;
  readonly suspend: number;
  readonly revoke: number;
  readonly deactivate: number;
  readonly delete: number;
}

/** What an action is, in the words of the policy. */
const rungOf: Readonly<Record<string, keyof Thresholds>> = {
  inactivity_warned: 'warn',
  actions_suspended: 'suspend',
  tokens_revoked_stale: 'revoke',
  account_deactivated: 'deactivate',
  account_deleted: 'delete',
};
const noticeDays: Readonly<Partial<Record<keyof Thresholds, number>>> = {
  revoke: 5,
  deactivate: 5,
  delete: 10,
};
/** A rung may come later for its notices, for retries, and for an operator who looks every second day. */
const slackMs = 30 * dayMs;
const toleranceMs = 60_000;

/** Actions that should not have been. */
export function wrongful(life: Happened, days: Thresholds): string[] {
  return life.actions.flatMap(({ name, at }) => {
    const rung = rungOf[name];
    if (rung === undefined) return [];
    const lastSeen = Math.max(life.enrolledAt, ...life.signs.filter((sign) => sign < at - toleranceMs));
    const found: string[] = [];
    if (at - lastSeen + toleranceMs < days[rung] * dayMs) found.push('was seen within the threshold');
    if (within(life.holds, at)) found.push('on hold');
    if (within(life.disabledByHand, at)) found.push('disabled by an admin');
    if (life.exemptFrom !== undefined && at > life.exemptFrom + toleranceMs) found.push('exempt');
    if (!wasAnnounced(life, rung, at, lastSeen)) found.push('without notice');
    return found.map((why) => `${name} on day ${Math.floor((at - life.enrolledAt) / dayMs)}: ${why}`);
  });
}

function wasAnnounced(life: Happened, rung: keyof Thresholds, at: number, lastSeen: number): boolean {
  const floor = noticeDays[rung];
  if (floor === undefined) return true;
  const latest = at - floor * dayMs + toleranceMs;
  const holdEnds = life.holds.map(({ to }) => to ?? 0).filter((to) => to <= at);
  const from = Math.max(lastSeen, ...holdEnds.map((to) => to - toleranceMs));
  // Where no address takes a mail, a revocation goes on all the same: the policy says so.
  const names = rung === 'delete' ? ['notice_sent'] : ['notice_sent', 'notice_failed'];
  return life.actions.some(
    (action) =>
      names.includes(action.name) &&
      action.rung === rung &&
      action.at <= latest &&
      action.at >= from - toleranceMs,
  );
}

/** What should have been done and was not. */
export function missed(life: Happened, days: Thresholds): string[] {
  if (life.exemptFrom !== undefined || life.parked || within(life.holds, life.endsAt)) return [];
  if (within(life.disabledByHand, life.endsAt)) return [];
  const lastSeen = Math.max(life.enrolledAt, ...life.signs);
  const freeFrom = Math.max(...[0, ...[...life.holds, ...life.disabledByHand].map(({ to }) => to ?? 0)]);
  const isDue = (rung: keyof Thresholds) =>
    life.endsAt > Math.max(lastSeen + days[rung] * dayMs, freeFrom) + slackMs &&
    life.endsAt >
      Math.max(...life.disabledByHand.map(({ to }) => to ?? 0), lastSeen) + days[rung] * dayMs + slackMs;
  if (isDue('delete')) return life.kratos === 'absent' ? [] : ['not deleted'];
  if (isDue('deactivate')) return life.kratos === 'active' ? ['not deactivated'] : [];
  if (isDue('revoke')) return reached(life.stage, 'revoked') ? [] : ['not revoked'];
  if (isDue('suspend')) return reached(life.stage, 'suspended') ? [] : ['not suspended'];
  return isDue('warn') && !reached(life.stage, 'warned') ? ['not warned'] : [];
}

const order = ['active', 'warned', 'suspended', 'revoked', 'deactivated', 'deleted'];
const reached = (stage: string, least: string) => order.indexOf(stage) >= order.indexOf(least);

/** From the change on, but for a step that was under way at that very moment. */
function within(intervals: readonly Interval[], at: number): boolean {
  return intervals.some(
    ({ from, to }) => at > from + toleranceMs && at < (to ?? Number.POSITIVE_INFINITY) - toleranceMs,
  );
}
