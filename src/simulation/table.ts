/** A simulation as a table for a terminal, as CSV by day, and as JSON. Pure. */

import { dayMs } from '../domain/duration.js';
import { rungNames } from '../domain/rungs.js';
import { tripLines } from '../preview/table.js';
import { within } from '../preview/tally.js';
import { csvLine } from '../process/csv.js';
import type { Simulated } from './run.js';
import { type Counted, returnedFrom } from './tally.js';

/** Rows of the totals, and what they are called. */
export const shown: readonly (readonly [what: Counted, name: string])[] = [
  ...rungNames.map((rung) => [rung, rung] as const),
  ['mails', 'mails'],
  ['return', 'returns'],
  ['link', 'back by link'],
  ['turned-away', 'turned away'],
  ['too-late', 'too late'],
];

/** Days for which totals are shown: the usual ones that fit, and all. */
export function spansOf(days: number): number[] {
  return [...[1, 7, 30, 90, 365, 730].filter((span) => span < days), days];
}

/** What a simulation says in one sentence. */
export function headline({ tally, name, seed, from, days }: Simulated): string {
  return `${tally.people} people under ${name}, ${days} days from ${new Date(from).toISOString().slice(0, 10)}, seed ${seed}`;
}

/** Sentences on what the figures rest on. */
export function basisLines({ basis, response, missing }: Simulated): string[] {
  return [
    ...basis,
    response === 0
      ? 'Notices bring nobody back who would not have come at that time (--notice-response says otherwise).'
      : `${Number((100 * response).toFixed(1))} % of the notices that arrive bring somebody back within seven days.`,
    ...(missing === 0 ? [] : [`${missing} more have a lifecycle and are not in Kratos: they are left out.`]),
  ];
}

/** @returns lines */
export function simulationTable(simulated: Simulated): string[] {
  const { tally, days, trips } = simulated;
  const { persons } = tally;
  const spans = spansOf(days);
  const trip = tripLines(trips);
  return [
    headline(simulated),
    ...basisLines(simulated),
    '',
    `within        ${spans.map((span) => `${span} d`.padStart(9)).join('')}`,
    ...shown.map(([what, name]) => {
      const cells = spans.map((span) => String(within(tally.days[what], span)).padStart(9));
      return `${name.padEnd(14)}${cells.join('')}`;
    }),
    '',
    `different people: ${persons.touched} got a notice or were reached by a rung, ${persons.back} of them came back`,
    ...rungNames.map((rung) => {
      const [reached, returned] = [persons.reached[rung], persons.returned[rung]];
      return `  ${rung.padEnd(12)}reached ${String(reached).padStart(8)}   came back from it ${String(returned).padStart(8)}`;
    }),
    '',
    ...(trip.length === 0 ? ['the breaker lets every day pass'] : ['the breaker would trip:', ...trip]),
  ];
}

const columns: readonly Counted[] = shown.map(([what]) => what);

/** @returns a line for each day, with its end; the first has the names */
export function* simulationCsv({ tally, from }: Simulated): Generator<string> {
  yield csvLine(['day', 'date', ...columns, ...returnedFrom.map((rung) => `returned_from_${rung}`)]);
  for (let day = 0; day < tally.length; day += 1) {
    const date = new Date(from + day * dayMs).toISOString().slice(0, 10);
    const counts = columns.map((what) => tally.days[what][day] ?? 0);
    yield csvLine([day, date, ...counts, ...returnedFrom.map((rung) => tally.returns[rung][day] ?? 0)]);
  }
}

/** What a program reads. Days are arrays: the number for each day from the first on. */
export function simulationJson(simulated: Simulated): object {
  const { tally, trips, name, policy, population, seed, days, from, response, missing } = simulated;
  return {
    schemaVersion: 1,
    policy: { name, id: policy.id },
    population,
    seed,
    days,
    from: new Date(from).toISOString(),
    noticeResponse: response,
    basis: basisLines(simulated),
    people: tally.people,
    missing,
    persons: tally.persons,
    byDay: tally.days,
    returnsByDay: tally.returns,
    ends: tally.ends,
    trips,
  };
}
