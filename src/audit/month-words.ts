/** What the figures of a month's report are called. Pure. */
import { dayMs } from '../domain/duration.js';
import type { EventGroup } from './month-events-query.js';
import type { MonthFigure } from './month-query.js';
import type { MonthReport } from './month-report.js';

export const figureNames: Readonly<Record<MonthFigure, string>> = {
  revoked: 'hit revocation',
  revoked_ladder: 'by the ladder',
  revoked_refresh: 'of refresh tokens',
  revoked_personal: 'of personal access tokens',
  warned: 'warned',
  suspended: 'suspended',
  deactivated: 'deactivated',
  deleted: 'deleted or anonymised',
  returned: 'returned',
};

/** Parts of the first number. */
export const isPart = (figure: string) => figure.startsWith('revoked_');

export const groupNames: Readonly<Record<EventGroup, string>> = {
  mails: 'Warnings, notices and invitations',
  exemptions: 'Exemptions, in the month',
  parked: 'Parked steps',
  breaker: 'Breaker',
  missing: 'Identities missing in Kratos',
};

export const credentialNames = {
  sessions: 'sessions',
  consents: 'consents to apps',
  refreshFamilies: 'families of refresh tokens',
  personalTokens: 'personal access tokens',
} as const;

/** @returns a percentage with one digit; a dash where there is nothing to divide by */
export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

export function inDays(ms: number | null): string {
  return ms === null ? '–' : `${(ms / dayMs).toFixed(1)} d`;
}

/** How far the figures hold, sentence by sentence. */
export function reservations({ isFinal, finalAt, isPruned, now }: MonthReport): string[] {
  const until = new Date(finalAt).toISOString().slice(0, 10);
  return [
    isFinal
      ? 'Final: the figures are those of the audit log and change no more, but for what is said to be of the present.'
      : `Not final before ${until}: until then people may come back after the month's notices.`,
    ...(isPruned
      ? ['Rows of this month were removed from the audit log: the figures are lower than they were.']
      : []),
    `The present is ${new Date(now.at).toISOString()}.`,
  ];
}
