/** What a person asks of the page with what was recorded about them. Pure. */
import { z } from 'zod';
import { dayMs } from '../domain/duration.js';
import { given } from '../domain/given.js';
import type { LogQuestion } from '../tokens/access/request-log-table.js';
import type { ActivityQuery } from './page-schemas.js';

const day = z.iso.date();

export type ActivityFilter = Omit<LogQuestion, 'app' | 'identityId' | 'limit'>;

/**
 * Days are days of UTC, as the page's times are; both ends are included. A browser without a field for dates sends what was typed.
 * @returns `undefined` where a day is none
 */
export function filterOf({
  category,
  from,
  to,
  before,
}: ActivityQuery['Querystring']): ActivityFilter | undefined {
  const [since, last] = [dayOf(from), dayOf(to)];
  if (since === 'none' || last === 'none') return undefined;
  const until = last === undefined ? undefined : last + dayMs;
  return given({ category: category === '' ? undefined : category, since, until, before });
}

/** The same question from the line `before` on, or from the newest, as a query of the page. */
export function queryFrom(
  { category, from, to }: ActivityQuery['Querystring'],
  before: string | undefined,
): string {
  const fields = Object.entries({ category, from: from.trim(), to: to.trim(), before: before ?? '' });
  return `?${new URLSearchParams(fields.filter(([, value]) => value !== ''))}`;
}

function dayOf(text: string): number | 'none' | undefined {
  const written = text.trim();
  if (written === '') return undefined;
  return day.safeParse(written).success ? Date.parse(`${written}T00:00:00Z`) : 'none';
}
