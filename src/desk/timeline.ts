/** What happened to one identity, the latest first: signs of life, notices, deeds and decisions. Pure. */
import type { AuditRow } from '../audit/log-table.js';
import { formatDuration } from '../domain/duration.js';
import type { SignKind } from '../domain/sign-of-life.js';
import type { Standing } from '../domain/standing.js';

export interface TimelineEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly what: string;
  /** More of it, in words; may be empty. */
  readonly more: string;
  /** Empty: nobody is named. */
  readonly actor: string;
  /** `sign`, `next`, or the stage after it, which gives it its colour. */
  readonly kind: string;
}

type Known = Pick<Standing, 'activity' | 'next' | 'notices' | 'completed' | 'blocked'>;

const signs: Readonly<Record<SignKind, string>> = {
  human: 'last sign of life of a person',
  token: 'last sign of life of a token',
  machine: 'last sign of life of a machine',
};

/**
 * @param standing `undefined` where none is known
 * @param audit the entries of the audit log on this page; `undefined` where the reader may not see it: the standing tells the deeds then
 * @param isFirst whether it is the first page: what is not in the log stands there
 */
export function timelineOf(
  standing: Known | undefined,
  audit: readonly AuditRow[] | undefined,
  isFirst = true,
): TimelineEntry[] {
  const beside = standing === undefined || !isFirst ? [] : [...signsOf(standing), ...nextOf(standing)];
  const deeds = audit?.map(entryOf) ?? (standing === undefined ? [] : deedsOf(standing));
  return [...beside, ...deeds].sort((one, other) => other.at - one.at);
}

function signsOf({ activity }: Known): TimelineEntry[] {
  return (Object.keys(signs) as SignKind[]).flatMap((kind) => {
    const at = activity[kind];
    return at === undefined ? [] : [{ at, what: signs[kind], more: '', actor: '', kind: 'sign' }];
  });
}

function nextOf({ next, blocked }: Known): TimelineEntry[] {
  if (next === undefined) return [];
  const what = next.step === 'notice' ? `notice of ${next.rung}` : next.rung;
  const more = blocked === undefined ? 'comes, if nobody shows up' : `does not come: ${blocked.why}`;
  return [{ at: next.at, what, more, actor: '', kind: 'next' }];
}

function deedsOf({ notices, completed }: Known): TimelineEntry[] {
  return [
    ...notices.map(({ rung, outcome, leadMs, at }) => ({
      ...{ at, what: `notice of ${rung}`, actor: '', kind: '' },
      more: `${outcome}, ${formatDuration(leadMs)} ahead`,
    })),
    ...Object.entries(completed).map(([rung, at]) => ({ at, what: rung, more: '', actor: '', kind: '' })),
  ];
}

function entryOf({ eventType, outcome, actor, occurredAt, stage, detail, ...row }: AuditRow): TimelineEntry {
  const policy = row.policyId === null ? [] : [`policy: ${row.policyId}@${row.policyVersion}`];
  const details = Object.entries(detail).map(
    ([name, value]) => `${wordsOf(name)}: ${shownValue(name, value)}`,
  );
  return {
    ...{ at: occurredAt, what: wordsOf(eventType), actor, kind: stage },
    more: [outcome, ...details, ...policy].join('; '),
  };
}

/** `inactivity_warned` and `announcedAt` as people read them. */
function wordsOf(name: string): string {
  return name
    .replace(/Ms$/, '')
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

/** Times stand as epoch milliseconds in fields that end in `At`. */
function shownValue(name: string, value: unknown): string {
  const isTime = /(At|Since|Until)$/.test(name) || name === 'until';
  if (isTime && typeof value === 'number' && value > 1e12 && value < 1e14)
    return new Date(value).toISOString().slice(0, 16).replace('T', ' ');
  if (/Ms$/.test(name) && typeof value === 'number') return formatDuration(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
