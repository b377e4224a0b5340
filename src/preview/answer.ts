/** What the population answers to a policy, in a few numbers: what a publication is bound to. Pure but for a hash. */
import { createHash } from 'node:crypto';
import { rungNames } from '../domain/rungs.js';
import { type Tally, within } from './tally.js';

/** Days for which the totals count: soon, and within the horizon. */
export const spans = [1, 90, 730] as const;

/** Numbers by name, such as `delete within 90 days`. In a fixed order. */
export type Answer = Readonly<Record<string, number>>;

export function answerOf(tally: Tally): Answer {
  const totals = [...rungNames, 'mails' as const].flatMap((what) =>
    spans.map((days) => [`${what} within ${days} days`, within(tally.after.days[what], days)] as const),
  );
  return {
    people: tally.people,
    'missing in Kratos': tally.missing,
    'unreadable in Kratos': tally.unreadable,
    'moved earlier': tally.moves.earlier,
    'moved later': tally.moves.later,
    ...Object.fromEntries(totals),
  };
}

/** @returns the hash that names a preview: of the policy's text, of the policy that it is compared with, and of the answer */
export function previewHash(policyHash: string, inForce: string, answer: Answer): string {
  return createHash('sha256')
    .update(JSON.stringify([policyHash, inForce, answer]))
    .digest('hex');
}

export interface AnswerChange {
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

/** A difference of so many people is no change, however small the number: somebody signs in every minute. */
const leastChange = 5;

/** @returns the numbers that differ by more than `percent` of the greater one, and by more than five */
export function changesOf(before: Answer, after: Answer, percent: number): AnswerChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((what): AnswerChange[] => {
    const [one, other] = [before[what] ?? 0, after[what] ?? 0];
    const tolerated = Math.max(leastChange, (Math.max(one, other) * percent) / 100);
    return Math.abs(one - other) > tolerated ? [{ what, before: one, after: other }] : [];
  });
}
