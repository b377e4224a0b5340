/** The month's report by mail, over real SMTP and PostgreSQL: once, to each recipient, whatever happens. */
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMonthReportActivities } from '../../src/activities/month-reports.js';
import { readMailedMonths, writeMailed } from '../../src/audit/month-mails-table.js';
import { createMailTransport } from '../../src/smtp/transport.js';
import { type Faults, type SmtpFixture, startSmtp } from '../mail/smtp-fixture.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { rejection } from '../support/system-wait.js';

let database: FreshDatabase;
const now = Date.UTC(2026, 10, 3);
const recipients = ['security@acorn.example', 'board@acorn.example'];
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  database = await openFreshDatabase();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await database.close();
});

async function server(faults: Faults = {}): Promise<SmtpFixture> {
  const started = await startSmtp(faults);
  open.unshift(started);
  return started;
}

/** As a worker of its own. */
function workerOf({ url }: SmtpFixture, to: readonly string[] = recipients) {
  const transport = createMailTransport({ smtpUrl: url, from: 'Dormouse <no-reply@acorn.example>' });
  open.unshift(transport);
  return createMonthReportActivities({
    pool: database.pool,
    clock: { now: async () => now },
    transport,
    from: 'Dormouse <no-reply@acorn.example>',
    recipients: to,
    productName: 'Acorn\r\nBcc: everybody@acorn.example',
  });
}

it('a mail with the figures, the page and the CSV; the product name makes no header', async () => {
  const smtp = await server();
  expect(await workerOf(smtp).mailMonthReports()).toEqual([{ month: '2026-10', recipients: 2, accepted: 2 }]);
  expect([...smtp.recipients].sort()).toEqual([...recipients].sort());
  const mail = await PostalMime.parse(smtp.messages[0] ?? '');
  expect(mail.subject).toBe('Acorn Bcc: everybody@acorn.example: inactive accounts in 2026-10');
  expect(mail.bcc ?? []).toEqual([]);
  expect(mail.text).toMatch(/hit revocation +0/);
  expect(mail.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
    ['inactive-accounts-2026-10.html', 'text/html'],
    ['inactive-accounts-2026-10.csv', 'text/csv'],
  ]);
  expect(mail.headers.find(({ key }) => key === 'x-dormouse-kind')?.value).toBe('month-report');
});

it('again, by another worker, and by four at once: no second copy', async () => {
  const smtp = await server();
  const runs = Array.from({ length: 4 }, () => workerOf(smtp).mailMonthReports());
  await Promise.allSettled(runs);
  // Whoever met another one at work comes again, as Temporal's retry does.
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await workerOf(smtp)
      .mailMonthReports()
      .catch(() => undefined);
  }
  expect(smtp.messages).toHaveLength(2);
  expect(await readMailedMonths(database.pool)).toEqual(['2026-10']);
  await database.pool.query('DELETE FROM month_report');
  await workerOf(smtp).mailMonthReports();
  expect(smtp.messages).toHaveLength(2);
});

it('the answer to the final dot is lost: it is not sent again', async () => {
  const smtp = await server({ message: () => 'drop' });
  await workerOf(smtp, ['security@acorn.example']).mailMonthReports();
  await workerOf(smtp, ['security@acorn.example']).mailMonthReports();
  expect(smtp.messages).toHaveLength(1);
});

it('one recipient deferred: the others have it, later months go out, and it is made up for', async () => {
  let isDeferring = true;
  const smtp = await server({
    rcptTo: (address) => (isDeferring && address.startsWith('board') ? { code: 451 } : undefined),
  });
  await writeMailed(database.pool, { month: '2026-08', recipients: 1, accepted: 1 }, now);
  const failure = await rejection(workerOf(smtp).mailMonthReports());
  expect(failure).toMatchObject({ type: 'MailServerUnavailable' });
  expect(String(failure)).toMatch(/2026-09: 1 of 2 copies.*2026-10: 1 of 2 copies/s);
  expect(String(failure)).not.toContain('@');
  expect(smtp.messages).toHaveLength(2);
  isDeferring = false;
  expect((await workerOf(smtp).mailMonthReports()).map(({ month }) => month)).toEqual(['2026-09', '2026-10']);
  expect(smtp.messages).toHaveLength(4);
});

it('a recipient that is refused for good keeps nothing back', async () => {
  const smtp = await server({
    rcptTo: (address) => (address.startsWith('board') ? { code: 550 } : undefined),
  });
  expect(await workerOf(smtp).mailMonthReports()).toEqual([{ month: '2026-10', recipients: 2, accepted: 1 }]);
});

it('the row of a copy holds no address', async () => {
  const smtp = await server();
  await workerOf(smtp).mailMonthReports();
  const rows = (await database.pool.query('SELECT * FROM mail')).rows;
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain('acorn.example"');
  expect(JSON.stringify(rows)).not.toContain('security@');
});
