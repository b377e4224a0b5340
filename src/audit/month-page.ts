/** A month's report as one page that holds everything. Pure. */
import { listOf, plainTable, scrolling, wholePage } from '../preview/document.js';
import { linesFigure, runningSums } from '../preview/plot.js';
import type { EventGroup } from './month-events-query.js';
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

export function monthPage(report: MonthReport): string {
  const { month, people } = report;
  const body = `<ul class="moves"><li><strong>${people.revoked}</strong> people hit revocation</li><li><strong>${people.warned}</strong> warned</li><li><strong>${people.returned}</strong> returned</li><li><strong>${people.deactivated}</strong> deactivated</li><li><strong>${people.deleted}</strong> deleted</li></ul>
${listOf(reservations(report))}
<h2>People</h2>
${table(
  'People',
  ['reached', 'people'],
  monthFigures.map((figure) => [nameOf(figure), people[figure]]),
)}
<h2>Does the warning work?</h2>
<p>Who came back within 30 days of a notice, before another one was given.</p>
${noticeTable(report)}
<h2>Credentials that revocations ended</h2>
${table('Credentials', ['kind', 'ended'], credentialRows(report))}
<h2>Day by day</h2>
<div class="plots">${(['revoked', 'warned', 'returned'] as const).map((figure) => dayPlot(report, figure)).join('\n')}</div>
<h2>Twelve months</h2>
${table('Twelve months', ['month', ...trend.map((figure) => figureNames[figure])], trendRows(report))}
<h2>Exemptions in force at the end of the month</h2>
${exemptionTable(report)}
${Object.keys(groupNames)
  .map((group) => eventTable(report, group as EventGroup))
  .join('\n')}
<h2>At present</h2>
${present(report)}`;
  return wholePage({ title: `Inactive accounts, ${month}`, body });
}

const nameOf = (figure: MonthFigure) => (isPart(figure) ? `– ${figureNames[figure]}` : figureNames[figure]);

type Rows = readonly (readonly (string | number)[])[];

function table(name: string, head: readonly string[], rows: Rows): string {
  return rows.length === 0 ? '<p>None.</p>' : scrolling(name, plainTable(head, rows));
}

function noticeTable({ notices }: MonthReport): string {
  const head = ['notice', 'accepted', 'came back', 'rate', 'half within', 'nine of ten within'];
  const rows = notices.map(({ notice, sent, returned, medianMs, ninetiethMs }) => [
    ...[notice, sent, returned, share(returned, sent), inDays(medianMs), inDays(ninetiethMs)],
  ]);
  return table('Notices', head, rows);
}

function credentialRows({ credentials, sources }: MonthReport): Rows {
  return [
    ...Object.entries(credentialNames).map(([field, name]) => [
      name,
      credentials[field as keyof typeof credentialNames],
    ]),
    ...sources.map(({ source, people }) => [`people, in the table of ${source}`, people]),
  ];
}

function dayPlot({ days, month }: MonthReport, figure: MonthFigure): string {
  const counts = days.map((day) => day[figure]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const told = `${figureNames[figure]}, added up over the days: ${total}`;
  return linesFigure({
    caption: told,
    told: `${told}, in ${month}`,
    solid: runningSums(counts, counts.length),
  });
}

const trend = ['revoked', 'warned', 'suspended', 'returned', 'deactivated', 'deleted'] as const;

function trendRows({ months }: MonthReport): Rows {
  return months.map((one) => [one.month, ...trend.map((figure) => one[figure])]);
}

function exemptionTable({ exemptions }: MonthReport): string {
  const head = ['kind', 'in force', 'half at least as old as', 'oldest', 'review overdue'];
  const rows = exemptions.map(({ kind, count, medianAgeMs, oldestAgeMs, overdue }) => [
    ...[kind, count, inDays(medianAgeMs), inDays(oldestAgeMs), overdue],
  ]);
  return table('Exemptions', head, rows);
}

function eventTable({ events }: MonthReport, group: EventGroup): string {
  const rows = events[group].map(({ event, outcome, events: count, people }) => [
    ...[event, outcome, count, people === 0 ? '' : people],
  ]);
  return `<h2>${groupNames[group]}</h2>\n${table(groupNames[group], ['event', 'which', 'events', 'people'], rows)}`;
}

function present({ now }: MonthReport): string {
  const lines = [
    `${now.parked} parked steps, ${now.missing} identities missing in Kratos, ${now.openTrips} open trips of the breaker.`,
    'Copies of mails that were settled in the month and are still kept, by their present state:',
  ];
  const rows = now.mails.map(({ kind, state, count }) => [kind, state, count]);
  return `${listOf(lines)}\n${table('Mails', ['mail', 'state', 'copies'], rows)}`;
}
