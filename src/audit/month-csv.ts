/** A month's report as CSV: one number a line, so that months can be put below each other. Pure. */
import { csvLine } from '../process/csv.js';
import { monthFigures } from './month-query.js';
import type { MonthReport } from './month-report.js';

type Line = readonly [part: string, name: string, detail: string, value: number | null];

/** @returns lines with their ends; the first has the names */
export function monthCsv(report: MonthReport): string[] {
  const head = ['month', 'part', 'name', 'detail', 'value', 'is_final'];
  const isFinal = report.isFinal && !report.isPruned ? 1 : 0;
  return [
    csvLine(head),
    // What is of the present is never final.
    ...linesOf(report).map((line) =>
      csvLine([report.month, ...line, line[0].startsWith('present') ? 0 : isFinal]),
    ),
  ];
}

function linesOf({
  people,
  credentials,
  sources,
  notices,
  exemptions,
  events,
  now,
  days,
}: MonthReport): Line[] {
  return [
    ...monthFigures.map((figure): Line => ['people', figure, '', people[figure]]),
    ...Object.entries(credentials).map(([name, value]): Line => ['credentials', name, '', value]),
    ...sources.map(({ source, people: count }): Line => ['source', source, 'people', count]),
    ...notices.flatMap(({ notice, sent, returned, medianMs, ninetiethMs }): Line[] => [
      ['notice', notice, 'sent', sent],
      ['notice', notice, 'returned', returned],
      ['notice', notice, 'median_ms', medianMs],
      ['notice', notice, 'ninetieth_ms', ninetiethMs],
    ]),
    ...exemptions.flatMap(({ kind, count, medianAgeMs, oldestAgeMs, overdue }): Line[] => [
      ['exemptions', kind, 'count', count],
      ['exemptions', kind, 'median_age_ms', medianAgeMs],
      ['exemptions', kind, 'oldest_age_ms', oldestAgeMs],
      ['exemptions', kind, 'overdue', overdue],
    ]),
    ...Object.entries(events).flatMap(([group, counts]) =>
      counts.map(({ event, outcome, events: count }): Line => [group, event, outcome, count]),
    ),
    ['present', 'parked', '', now.parked],
    ['present', 'missing', '', now.missing],
    ['present', 'open_trips', '', now.openTrips],
    ...now.mails.map(({ kind, state, count }): Line => ['present_mails', kind, state, count]),
    ...days.flatMap(({ day, ...figures }) =>
      monthFigures.map((figure): Line => ['day', figure, day, figures[figure]]),
    ),
  ];
}
