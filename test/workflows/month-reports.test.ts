/** The month's report by mail, on a real Temporal server with a real Schedule and a real mail server. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readMailbox } from '../../dev/demo/mailbox.js';
import { monthAfter, monthAt } from '../../src/audit/month.js';
import { readMailedMonths } from '../../src/audit/month-mails-table.js';
import { monthReportSchedule, reportLooksEveryMs } from '../../src/audit/month-schedule.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';

let live: Harness;
const recipients = ['security', 'board'].map((name) => `${name}-${randomUUID().slice(0, 8)}@acorn.example`);
const last = monthAfter(monthAt(Date.now()), -1);

beforeAll(async () => {
  live = await openHarness();
  await live.pool.query('DELETE FROM month_report');
});
afterAll(async () => {
  await live.pool.query('DELETE FROM month_report');
  await live.pool.query("DELETE FROM mail WHERE kind = 'month-report'");
  await live.end();
});

const environment = { DORMOUSE_REPORT_RECIPIENTS: recipients.join(',') };
const mails = async () =>
  (await readMailbox(inject('stack').mail.apiUrl)).filter(({ to }) =>
    recipients.some((recipient) => JSON.stringify(to).includes(recipient)),
  );
const run = (taskQueue: string) =>
  live.client.workflow.execute('mailMonthReports', {
    taskQueue,
    workflowId: `reports-${randomUUID()}`,
    args: [{ schemaVersion: 1 }],
  });

test('the schedule fires: each recipient gets the last month once; further runs and workers send nothing', async () => {
  const taskQueue = await live.startWorkers(environment);
  await monthReportSchedule.sync(live.client, taskQueue, reportLooksEveryMs);
  const schedule = live.client.schedule.getHandle(monthReportSchedule.idOf(taskQueue));
  await schedule.trigger();
  await until('the report of the last month is out', async () =>
    (await readMailedMonths(live.pool)).includes(last),
  );
  expect(await mails()).toHaveLength(2);
  const [mail] = await mails();
  expect(mail?.subject).toContain(`inactive accounts in ${last}`);
  const again = await Promise.all([run(taskQueue), run(taskQueue)]);
  expect(again).toEqual([
    { schemaVersion: 1, months: [] },
    { schemaVersion: 1, months: [] },
  ]);
  // Somebody lost the note that the month is out; the mails themselves are remembered.
  await live.pool.query('DELETE FROM month_report');
  const other = await live.startWorkers(environment);
  const twice = await Promise.all([run(taskQueue), run(other)]);
  expect(twice.flatMap(({ months }: { months: string[] }) => months)).toContain(last);
  expect(await mails()).toHaveLength(2);
  await monthReportSchedule.sync(live.client, taskQueue, undefined);
  await expect(schedule.describe()).rejects.toThrow();
});

test('months that were missed are made up for, the oldest first', async () => {
  await live.pool.query('DELETE FROM month_report');
  await live.pool.query('INSERT INTO month_report VALUES ($1, now(), 1, 1)', [monthAfter(last, -3)]);
  const taskQueue = await live.startWorkers(environment);
  expect(await run(taskQueue)).toEqual({
    schemaVersion: 1,
    months: [monthAfter(last, -2), monthAfter(last, -1), last],
  });
  expect(await mails()).toHaveLength(2 + 4);
});

test('without recipients nothing is sent, and no month is marked', async () => {
  await live.pool.query('DELETE FROM month_report');
  const taskQueue = await live.startWorkers();
  expect(await run(taskQueue)).toEqual({ schemaVersion: 1, months: [] });
  expect(await readMailedMonths(live.pool)).toEqual([]);
});
