/** The output of `dormouse server enrol --all`: texts only, so that it can be tested without a terminal. */
import { formatDuration } from '../domain/duration.js';
import { rungNames } from '../domain/rungs.js';
import {
  forecastDays,
  type MailForecast,
  type PreviewClass,
  type ReconcileProgress,
  type ReconcileResult,
} from '../workflows/reconcile-messages.js';

const barWidth = 24;

/** One line: how far, how fast, and the time left. @param now epoch milliseconds */
export function progressLine(progress: ReconcileProgress, now: number): string {
  const { place, counts, expected, startedAt } = progress;
  const seconds = Math.max(0.001, (now - startedAt) / 1_000);
  const numbers = `${counts.seen}${expected === undefined ? '' : `/${expected}`} seen, ${counts.started} started`;
  const rate = `${(counts.seen / seconds).toFixed(0)}/s`;
  if (place.phase !== 'identities') return `${bar(1)} ${numbers}, ${counts.checked} lifecycles checked`;
  if (expected === undefined || expected === 0) return `${numbers}, ${rate}`;
  const share = Math.min(1, counts.seen / expected);
  return `${bar(share)} ${numbers}, ${rate}, ${eta(seconds, share)}`;
}

function bar(share: number): string {
  const full = Math.round(share * barWidth);
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`;
}

function eta(elapsedSeconds: number, share: number): string {
  if (share <= 0) return 'time left unknown';
  const left = Math.round((elapsedSeconds * (1 - share)) / share);
  if (left < 60) return `${left} s left`;
  return left < 5_400 ? `${Math.round(left / 60)} min left` : `${(left / 3_600).toFixed(1)} h left`;
}

/** What was done, or would be done. */
export function summary(result: ReconcileResult): string {
  return result.dryRun ? previewSummary(result) : enrolSummary(result);
}

function enrolSummary(result: ReconcileResult): string {
  const seconds = Math.max(0.001, (result.endedAt - result.startedAt) / 1_000);
  return [
    `Seen ${result.seen} identities in ${seconds.toFixed(1)} s:`,
    `  ${result.started} lifecycles started (${(result.started / seconds).toFixed(1)}/s)`,
    `  ${result.alreadyRunning} had one already`,
    `  ${result.gone} were woken, because Kratos does not list their identity`,
    `  ${result.failed} failed${result.failed > 0 ? ": the worker's log names them" : ''}`,
  ].join('\n');
}

const classLabels: readonly (readonly [PreviewClass, string])[] = [
  ['nothing', 'nothing yet'],
  ...rungNames.map((rung) => [rung, rung] as const),
  ['exempt', 'nothing: exempt'],
  ['not-understood', 'nothing: metadata_admin is not understood'],
  ['disabled-by-hand', 'nothing: disabled by hand'],
];

function previewSummary(result: ReconcileResult): string {
  const lines = [
    'A preview: nothing was changed.',
    `Seen ${result.seen} identities: ${result.alreadyRunning} have a lifecycle, ${result.started} would be enrolled.`,
  ];
  if (result.started > 0) lines.push('By their last sign of life, these are overdue for:');
  for (const [kind, label] of classLabels) {
    const count = result.preview[kind];
    if (count !== undefined) lines.push(`  ${label.padEnd(26)}${count}`);
  }
  if (result.started > 0) {
    lines.push(
      'Overdue is not at once: each rung comes in its order, and the harsh ones keep their distance from an accepted notice.',
    );
  }
  lines.push(...mailLines(result.mails));
  if (result.gone > 0)
    lines.push(`${result.gone} lifecycles would be woken: Kratos does not list their identity.`);
  if (result.failed > 0)
    lines.push(`${result.failed} identities could not be looked at: the worker's log names them.`);
  return lines.join('\n');
}

/** The first mails, day by day. */
function mailLines(mails: MailForecast = {}): string[] {
  const days = Object.entries(mails).sort(([a], [b]) => dayOf(a) - dayOf(b));
  if (days.length === 0) return [];
  const rows = days.map(([day, { verified, unverified }]) => {
    const when = day === 'later' ? `after ${forecastDays} days` : day === '0' ? 'at once' : `in ${day} days`;
    return `  ${when.padEnd(26)}${verified} confirmed, ${unverified} not`;
  });
  return ['Their first mails, by addresses that somebody confirmed and others:', ...rows];
}

const dayOf = (day: string) => (day === 'later' ? Number.POSITIVE_INFINITY : Number(day));

/** What is about to happen. */
export function announcement(options: {
  startsPerSecond: number;
  spreadMs: number;
  policyId: string;
}): string {
  const spread = options.spreadMs === 0 ? 'at once' : `spread over ${formatDuration(options.spreadMs)}`;
  return `Enrolling everybody under the policy "${options.policyId}", at most ${options.startsPerSecond}/s, first looks ${spread}.`;
}
