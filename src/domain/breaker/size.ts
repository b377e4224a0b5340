/** Whether the breaker's limits suit the size of an installation. Pure. */
import { dayMs, formatDuration } from '../duration.js';
import { allowedActs, type BreakerAction, type BreakerRules, lifecycleActions } from './rules.js';

/**
 * A limit that lets less than this share of all identities pass a day trips on ordinary days: where a third
 * of the people leave within a year, 0.1 % a day reach each rung. Percent.
 */
const ordinaryPercentADay = 0.1;

export interface Installation {
  /** Identities that have a lifecycle and are not deleted. */
  readonly population: number;
  /** Acts that fall due within the window that begins now, where their number is known. */
  readonly due?: Readonly<Partial<Record<BreakerAction, number>>>;
}

/**
 * Of the acts of lifecycles: how many tokens end on an ordinary day does not follow from the number of identities.
 * @returns a sentence with the way out for each limit that will trip on ordinary days, or because of the acts
 * that fall due next; empty where the limits suit
 */
export function limitWarnings(rules: BreakerRules, { population, due = {} }: Installation): string[] {
  return lifecycleActions.flatMap((action) => {
    const allowed = allowedActs(rules, action, population);
    const window = formatDuration(rules.windowMs);
    const soon = due[action] ?? 0;
    if (soon > allowed) {
      return [
        `${soon} × ${action} fall due within ${window}, and ${allowed} are allowed: the breaker will trip. ${advice(action)}`,
      ];
    }
    const ordinary = (population * ordinaryPercentADay * rules.windowMs) / (100 * dayMs);
    if (allowed >= ordinary) return [];
    return [
      `${allowed} × ${action} within ${window} are few for ${population} identities: the breaker is likely to trip on ordinary days. ${advice(action)}`,
    ];
  });
}

function advice(action: BreakerAction): string {
  return `Raise breaker.limits.${action}.atMost, or let the limit grow with the installation: { atMost: none, percent: … }`;
}
