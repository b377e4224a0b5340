/** A preview as a table for a terminal, and as JSON. */
import type { Preview } from './run.js';
import { counted, type Tally, type TrippingDay, totalled, within } from './tally.js';

const spans = [1, 7, 30, 90, 365, 730] as const;
/** Two numbers of up to seven digits. */
const columnWidth = 19;
/** Reasons that are shown; the others are summed up. */
const mostReasons = 12;

/** @returns lines */
export function previewTable(preview: Preview): string[] {
  const { tally, policyId, inForce, hash, now } = preview;
  const { people, moves } = tally;
  return [
    `${people} people follow "${policyId}" (in force: ${inForce}), as of ${new Date(now).toISOString()}`,
    ...leftOut(tally),
    `earlier: ${moves.earlier}   later: ${moves.later}   as before: ${moves.same}`,
    '',
    `within      ${spans.map((days) => `${days} d`.padStart(columnWidth)).join('')}`,
    ...totalled.map((what) => {
      const cells = spans.map((days) => {
        const [before, after] = [tally.before, tally.after].map((side) => within(side.days[what], days));
        return `${before} → ${after}`.padStart(columnWidth);
      });
      return `${what.padEnd(12)}${cells.join('')}`;
    }),
    ...reasons(preview),
    ...trips(preview),
    '',
    `preview ${hash}`,
  ];
}

/** Of whom nothing is said, one sentence each. */
export function leftOut({ missing, unreadable }: Pick<Tally, 'missing' | 'unreadable'>): string[] {
  return [
    ...(missing === 0
      ? []
      : [`${missing} more have a lifecycle and are not in Kratos: nothing is said of them`]),
    ...(unreadable === 0
      ? []
      : [`${unreadable} more are in Kratos in a form that can not be read: nothing is said of them`]),
  ];
}

function reasons({ tally: { why } }: Preview): string[] {
  const sorted = [...why].sort(([, one], [, other]) => other - one);
  if (sorted.length === 0) return [];
  const rest = sorted.slice(mostReasons).reduce((sum, [, count]) => sum + count, 0);
  return [
    '',
    'why they move:',
    ...sorted.slice(0, mostReasons).map(([reason, count]) => `${String(count).padStart(8)}  ${reason}`),
    ...(rest === 0 ? [] : [`${String(rest).padStart(8)}  for other reasons`]),
  ];
}

function trips({ tripsBefore, tripsAfter }: Preview): string[] {
  const lines = tripLines(tripsAfter);
  const before = tripsBefore.length === 0 ? '' : ` (${tripsBefore.length} days under the policy in force)`;
  if (lines.length === 0) return ['', `the breaker lets every day pass${before}`];
  return ['', `the breaker would trip${before}:`, ...lines];
}

/** Runs of days in one line each. */
export function tripLines(days: readonly TrippingDay[]): string[] {
  const runs: { first: TrippingDay; last: TrippingDay; worst: number }[] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && run.first.action === day.action && run.last.day === day.day - 1) {
      run.last = day;
      run.worst = Math.max(run.worst, day.acts);
    } else {
      runs.push({ first: day, last: day, worst: day.acts });
    }
  }
  return runs.map(({ first, last, worst }) => {
    const when = first.day === last.day ? `day ${first.day}` : `days ${first.day} to ${last.day}`;
    return `  ${when}: up to ${worst} × ${first.action}, and ${first.allowed} are allowed`;
  });
}

/** What a program reads. Days are arrays: the number for each day from the preview on. */
export function previewJson(preview: Preview): object {
  const { tally, now, hash, policyHash, inForce, policyId, answer, tripsBefore, tripsAfter } = preview;
  const { people, missing, unreadable, moves, why, before, after } = tally;
  return {
    preview: hash,
    policyHash,
    policyId,
    inForce,
    at: new Date(now).toISOString(),
    people,
    missing,
    unreadable,
    moves,
    why: Object.fromEntries(why),
    answer,
    counted,
    before: { byDay: before.days, ends: before.ends, trips: tripsBefore },
    after: { byDay: after.days, ends: after.ends, trips: tripsAfter },
  };
}
