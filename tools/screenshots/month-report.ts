/** `npm run screenshots:month-report`: takes the picture of a month's report for docs/audit.md. The figures are made here; it needs no stack. */
import { join } from 'node:path';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { monthAfter, monthOf } from '../../src/audit/month.js';
import { monthPage } from '../../src/audit/month-page.js';
import type { Figures } from '../../src/audit/month-query.js';
import type { MonthReport } from '../../src/audit/month-report.js';
import { dayMs } from '../../src/domain/duration.js';

const month = '2026-10';
const { from, to } = monthOf(month);
const figures = (scale: number): Figures => ({
  ...{ revoked: 2 * scale, revoked_ladder: scale, revoked_refresh: scale, revoked_personal: 0 },
  ...{ warned: 9 * scale, suspended: 3 * scale, deactivated: scale, deleted: 0, returned: 6 * scale },
});
const event = (name: string, outcome: string, events: number, people = events) => ({
  ...{ event: name, outcome, events, people },
});
const report: MonthReport = {
  schemaVersion: 2,
  month,
  finalAt: to + 30 * dayMs,
  isFinal: true,
  isPruned: false,
  people: { ...figures(34), revoked_personal: 3, deleted: 5 },
  days: Array.from({ length: 31 }, (_, index) => ({
    day: new Date(from + index * dayMs).toISOString().slice(0, 10),
    ...figures((index * 7) % 3),
  })),
  months: Array.from({ length: 12 }, (_, index) => ({
    month: monthAfter(month, index - 11),
    ...figures(20 + ((index * 5) % 9)),
  })),
  credentials: { sessions: 151, consents: 88, refreshFamilies: 40, personalTokens: 3 },
  sources: [],
  notices: [
    { notice: 'deactivate', sent: 41, returned: 6, medianMs: 2.4 * dayMs, ninetiethMs: 5.9 * dayMs },
    { notice: 'revoke', sent: 97, returned: 31, medianMs: 1.8 * dayMs, ninetiethMs: 6.1 * dayMs },
    { notice: 'warn', sent: 306, returned: 167, medianMs: 3.2 * dayMs, ninetiethMs: 21.5 * dayMs },
  ],
  events: {
    mails: [
      event('inactivity_warned', 'accepted', 306),
      event('inactivity_warned', 'rejected', 4),
      event('notice_sent', 'revoke', 97),
      event('notice_failed', 'revoke no-address', 2),
      event('notice_bounced', 'deactivate', 1),
    ],
    exemptions: [event('exemption_set', 'leave', 3), event('exemption_ended', '', 1)],
    parked: [event('step_parked', 'KratosRefused', 2), event('parked_retried', '', 2)],
    breaker: [event('breaker_tripped', 'limit', 1, 0), event('held_by_breaker', 'revoke', 12)],
    missing: [event('identity_missing', '', 3), event('identity_gone', '', 2)],
  },
  exemptions: [
    { kind: 'leave', count: 7, medianAgeMs: 61 * dayMs, oldestAgeMs: 340 * dayMs, overdue: 1 },
    { kind: 'legal', count: 2, medianAgeMs: 400 * dayMs, oldestAgeMs: 812 * dayMs, overdue: 0 },
  ],
  now: {
    ...{ at: to + 31 * dayMs, parked: 1, missing: 1, openTrips: 0 },
    mails: [
      { kind: 'warn', state: 'accepted', count: 306 },
      { kind: 'notice-revoke', state: 'bounced', count: 1 },
    ],
  },
};

const browser = await launchChromium(await ensureChromium());
try {
  const page = await browser.newPage({ viewport: { width: 980, height: 900 } });
  await page.setContent(monthPage(report));
  await page.screenshot({
    path: join(projectDirectory, 'docs', 'images', 'month-report.png'),
    fullPage: true,
  });
} finally {
  await browser.close();
}
