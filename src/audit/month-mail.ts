/** The mail that brings a month's report, and which months are due. Pure. */

import type { RenderedMail } from '../mail/render.js';
import { escaped } from '../preview/html.js';
import { monthAfter, monthAt } from './month.js';
import { monthCsv } from './month-csv.js';
import { monthPage } from './month-page.js';
import type { MonthReport } from './month-report.js';
import { monthText } from './month-text.js';

/** So many months are caught up with, after which nobody reads them. */
export const mostCaughtUp = 12;

/**
 * The months that ended since the first that was mailed, and were not mailed, the oldest first. Without any mailed one: the
 * last month alone.
 * @param mailed the months that were mailed, the oldest first
 * @param now epoch milliseconds
 */
export function dueMonths(mailed: readonly string[], now: number): string[] {
  const [first] = mailed;
  const last = monthAfter(monthAt(now), -1);
  const months = Array.from({ length: mostCaughtUp }, (_, index) =>
    monthAfter(last, index + 1 - mostCaughtUp),
  );
  if (first === undefined) return [last];
  return months.filter((month) => month > first && !mailed.includes(month));
}

/** @param productName as people know the product */
export function monthMail(report: MonthReport, productName: string): RenderedMail {
  const { month } = report;
  const product = productName.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const subject = `${product}: inactive accounts in ${month}`;
  const text = `${monthText(report).join('\n')}\n`;
  return {
    locale: 'en',
    subject,
    text,
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>
<body><p>The report with plots is attached.</p><pre>${escaped(text)}</pre></body></html>
`,
    attachments: [
      {
        filename: `inactive-accounts-${month}.html`,
        contentType: 'text/html; charset=utf-8',
        content: monthPage(report),
      },
      {
        filename: `inactive-accounts-${month}.csv`,
        contentType: 'text/csv; charset=utf-8',
        content: monthCsv(report).join(''),
      },
    ],
  };
}
