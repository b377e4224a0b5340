/** A month's report as text for people. Pure. */
import type { EventCount } from './month-events-query.js';
import { type MonthFigure, monthFigures } from './month-query.js';
import type { MonthReport } from './month-report.js';
import {
  credentialNames,
  figureNames,
  groupNames,
  inDays,
  isPart,
  reservations,
  share,
} from './month-words.js';

export function monthText(report: MonthReport): string[] {
  const { month, people, notices, credentials, sources, exemptions, events, now } = report;
  return [
    `${month}, people`,
    ...monthFigures.map((figure) => `  ${named(figure).padEnd(30)}${people[figure]}`),
    '',
    'Credentials that revocations ended',
    ...Object.entries(credentialNames).map(
      ([field, name]) => `  ${name.padEnd(30)}${credentials[field as keyof typeof credentialNames]}`,
    ),
    ...sources.map(({ source, people: count }) => `  people, in the table of ${source}: ${count}`),
    '',
    'Notices, and who came back after them within 30 days',
    ...notices.map(({ notice, sent, returned, medianMs, ninetiethMs }) => {
      const times =
        medianMs === null
          ? ''
          : `, half of them within ${inDays(medianMs)}, nine of ten within ${inDays(ninetiethMs)}`;
      return `  ${notice.padEnd(12)}${sent} accepted, ${returned} returned (${share(returned, sent)})${times}`;
    }),
    '',
    'Exemptions by operators, in force at the end of the month',
    ...exemptions.map(
      ({ kind, count, medianAgeMs, oldestAgeMs, overdue }) =>
        `  ${kind.padEnd(16)}${count}, half of them for ${inDays(medianAgeMs)} or longer, the oldest for ${inDays(oldestAgeMs)}; reviews overdue: ${overdue}`,
    ),
    ...Object.entries(groupNames).flatMap(([group, name]) => [
      '',
      name,
      ...events[group as keyof typeof groupNames].map(eventLine),
    ]),
    '',
    `At present: ${now.parked} parked, ${now.missing} missing in Kratos, ${now.openTrips} open trips of the breaker`,
    ...now.mails.map(({ kind, state, count }) => `  mails settled in the month: ${kind}, ${state}: ${count}`),
    '',
    ...reservations(report),
  ];
}

function named(figure: MonthFigure): string {
  return isPart(figure) ? `  ${figureNames[figure]}` : figureNames[figure];
}

function eventLine({ event, outcome, events, people }: EventCount): string {
  const what = outcome === '' ? event : `${event} (${outcome})`;
  return `  ${what.padEnd(44)}${events}${people === 0 ? '' : `, ${people} people`}`;
}
