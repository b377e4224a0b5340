/** The course of one lifecycle if the person never returns. Pure. */
import type { Course, Deed } from './deed.js';
import { type Life, Walk } from './walk.js';

/**
 * @param from when the next look is taken, epoch milliseconds
 * @param until the horizon, epoch milliseconds
 */
export function courseOf(life: Life, from: number, until: number): Course {
  const deeds: Deed[] = [];
  const end = new Walk(life, from, (deed) => deeds.push(deed)).goTo(until);
  return { deeds, end };
}

/** The deed as one line of a trace: whole days after `from`, and what is done. */
export function traceLine(deed: Deed, from: number): string {
  const days = Math.floor((deed.at - from) / 86_400_000);
  if (deed.kind === 'notice') return `${days} notice of ${deed.rung}`;
  return `${days} ${deed.kind === 'rung' ? deed.rung : `return (${deed.cause})`}`;
}
