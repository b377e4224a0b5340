/**
 * The worker is killed without warning, several times on the way, on the real Temporal server: what people see happens
 * once all the same. Each crash waits for a condition, so that it always hits the same spot.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { kindsFor, readMailbox } from '../../dev/demo/mailbox.js';
import type { Person } from '../../dev/demo/ory-people.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { listMails } from '../../src/mail/mails-table.js';
import { standingQuery } from '../../src/workflows/messages.js';
import { startSmtp } from '../mail/smtp-fixture.js';
import { type EntryProcess, workerProcess } from '../support/entry-process.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { isAsleep } from '../support/under-way.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();
/** A call that was under way when the worker died is given up when its heartbeats have been missing for 15 s. */
const patience = { timeoutMs: 240_000, everyMs: 250 };
/** `temporal.api.enums.v1.TimeoutType`, which the client does not export by name. */
const heartbeatTimeout = 4;
let live: Harness;
let kratos: FaultProxy;
let policyFile: string;
let directory: string;
const workers: EntryProcess[] = [];

const policy = (id: string, rungs: string) => `
id: ${id}
allowShortDurations: true
ladder:
${rungs}
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } } }
recheck: 5s
retry: { attempts: 100, firstAfter: 1s, longestAfter: 2s }
`;
const warn = '  warn: { after: 2s }\n';
const suspend = '  suspend: { after: 4s, noticeFloor: 1s }\n';
const revoke =
  '  revoke: { after: 7s, notices: [2s], noticeFloor: 2s, withoutNotice: proceed, mailAfter: true }\n';
const winback = '  winback: { after: 9s }\n';
const deactivate =
  '  deactivate: { after: 12s, notices: [2s], noticeFloor: 2s, withoutNotice: wait, mailAfter: true }\n';
const remove = '  delete: { after: 18s, notices: [4s, 2s], noticeFloor: 4s }\n';
const whole = policy('crash-whole', warn + suspend + revoke + winback + deactivate + remove);

beforeAll(async () => {
  live = await openHarness();
  kratos = await startFaultProxy(inject('stack').kratos.adminUrl);
  directory = await mkdtemp(join(tmpdir(), 'dormouse-crash-'));
  policyFile = join(directory, 'policy.yaml');
  await writeFile(policyFile, whole);
  // All three in the same second: a call gives up by itself when it was not answered for ten.
  await live.publish(policy('crash-revoke', revoke.replace('7s', '8s')));
  await live.publish(policy('crash-deactivate', deactivate.replace('12s', '8s')));
  await live.publish(policy('crash-delete', remove.replace('18s', '8s')));
});
afterAll(async () => {
  kratos.heal();
  await Promise.all(workers.map((worker) => worker.kill()));
  await live.end();
  await kratos.close();
  await rm(directory, { recursive: true, force: true });
});

/** A worker of one test, on a queue of its own: the tests wait for heartbeats most of the time, and do so side by side. */
async function startWorker(
  name: string,
  environment: Record<string, string> = {},
): Promise<{ worker: EntryProcess; taskQueue: string }> {
  const taskQueue = `crash-${name}-${randomUUID().slice(0, 8)}`;
  const worker = workerProcess({
    ...inject('environment'),
    DORMOUSE_TASK_QUEUE: taskQueue,
    DORMOUSE_POLICY_FILE: policyFile,
    DORMOUSE_POLICY_ID: 'crash-whole',
    ...environment,
  });
  workers.push(worker);
  await worker.start();
  return { worker, taskQueue };
}

const eventsOf = async ({ id }: Person) => (await live.audit(id)).map(({ eventType }) => eventType);
const mailsOf = async ({ email }: Person) => kindsFor(await readMailbox(inject('stack').mail.apiUrl), email);

/** The activities of which an attempt was given up because its worker fell silent, rather than for taking too long. */
async function endedByHeartbeat(handle: LifecycleHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const names = new Map(
    events?.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [
      String(eventId),
      scheduled?.activityType?.name ?? '',
    ]),
  );
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: attempt }) => {
    const timeout = attempt?.lastFailure?.timeoutFailureInfo?.timeoutType;
    return timeout === heartbeatTimeout ? [names.get(String(attempt?.scheduledEventId)) ?? ''] : [];
  });
}

/** Waits until the event is in the audit log and the workflow sleeps again. */
async function asleepAfter(event: string, person: Person, handle: LifecycleHandle): Promise<void> {
  await until(
    `sleep after ${event}`,
    async () => {
      if (!(await eventsOf(person)).some((known) => known === event)) return false;
      return isAsleep(handle);
    },
    patience,
  );
}

test.concurrent('killed while asleep, after each of several rungs', { timeout: 400_000 }, async () => {
  const { worker, taskQueue } = await startWorker('asleep');
  const person = await live.people.create('crash-asleep');
  const handle = await live.enrol(person.id, taskQueue, { policyId: 'crash-whole' });
  for (const event of ['inactivity_warned', 'notice_sent', 'tokens_revoked_stale', 'account_deactivated']) {
    await asleepAfter(event, person, handle);
    await worker.kill();
    await worker.start();
  }
  expect(await handle.result()).toEqual({ schemaVersion: 1, outcome: 'deleted' });
  expect(await eventsOf(person)).toEqual([
    'lifecycle_started',
    'inactivity_warned',
    'actions_suspended',
    'notice_sent',
    'tokens_revoked_stale',
    'winback_sent',
    'notice_sent',
    'account_deactivated',
    'notice_sent',
    'notice_sent',
    'account_deleted',
  ]);
  expect(await mailsOf(person)).toEqual([
    'warn',
    'notice-revoke',
    'revoked',
    'winback',
    'notice-deactivate',
    'deactivated',
    'notice-delete',
    'notice-delete',
  ]);
});

test.concurrent(
  'killed after Kratos carried out a call and before it answered',
  { timeout: 400_000 },
  async () => {
    const { worker, taskQueue } = await startWorker('answered', { DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
    // Three people, each caught by the crash in another act; what Kratos did stays done, its answers are never heard.
    const [revoked, deactivated, deleted] = await Promise.all([
      live.people.create('crash-revoke'),
      live.people.create('crash-deactivate'),
      live.people.create('crash-delete'),
    ]);
    const signIn = await live.people.signIn(revoked);
    const tokens = await live.people.authorize(revoked);
    const caught = new Set<string>();
    const catchAnswer = (name: string, match: RegExp) =>
      kratos.inject(
        {
          kind: 'meanwhile',
          deed: () => {
            caught.add(name);
            return new Promise(() => undefined);
          },
        },
        match,
      );
    catchAnswer('revoke', new RegExp(`^DELETE .*/identities/${revoked.id}/sessions`));
    catchAnswer('deactivate', new RegExp(`^PATCH .*/identities/${deactivated.id}$`));
    catchAnswer('delete', new RegExp(`^DELETE .*/identities/${deleted.id}$`));
    const handles = {
      revoke: await live.enrol(revoked.id, taskQueue, { policyId: 'crash-revoke' }),
      deactivate: await live.enrol(deactivated.id, taskQueue, { policyId: 'crash-deactivate' }),
      delete: await live.enrol(deleted.id, taskQueue, { policyId: 'crash-delete' }),
    };
    await until('all three to be caught in the act', () => caught.size === 3, patience);
    await worker.kill();
    kratos.heal();
    await worker.start();

    await until(
      'the end of all three',
      async () => {
        const [first, second, third] = await Promise.all([revoked, deactivated, deleted].map(eventsOf));
        return (
          first?.includes('tokens_revoked_stale') &&
          second?.includes('account_deactivated') &&
          third?.includes('account_deleted')
        );
      },
      patience,
    );
    expect(await endedByHeartbeat(handles.revoke)).toEqual(['endSessions']);
    expect(await endedByHeartbeat(handles.deactivate)).toEqual(['disableIdentity']);
    expect(await endedByHeartbeat(handles.delete)).toEqual(['deleteIdentity']);
    expect(await handles.delete.result()).toEqual({ schemaVersion: 1, outcome: 'deleted' });
    await until('the last mails', async () => {
      const standings = await Promise.all(
        [handles.revoke, handles.deactivate].map((h) => h.query(standingQuery)),
      );
      return standings.every(({ inProgress }) => inProgress === undefined);
    });

    expect(await eventsOf(revoked)).toEqual(['lifecycle_started', 'notice_sent', 'tokens_revoked_stale']);
    expect(await mailsOf(revoked)).toEqual(['notice-revoke', 'revoked']);
    expect(signIn !== undefined && (await live.people.isSignedIn(signIn))).toBe(false);
    expect(await live.people.isTokenActive(tokens.refreshToken)).toBe(false);

    expect(await eventsOf(deactivated)).toEqual(['lifecycle_started', 'notice_sent', 'account_deactivated']);
    expect(await mailsOf(deactivated)).toEqual(['notice-deactivate', 'deactivated']);
    expect((await live.people.identities.getIdentity({ id: deactivated.id })).data.state).toBe('inactive');

    expect(await eventsOf(deleted)).toEqual([
      'lifecycle_started',
      'notice_sent',
      'notice_sent',
      'account_deleted',
    ]);
    expect(await mailsOf(deleted)).toEqual(['notice-delete', 'notice-delete']);
  },
);

test.concurrent(
  'killed while the mail server thinks: one duplicate at most, under the same name',
  { timeout: 400_000 },
  async () => {
    let asked = 0;
    const smtp = await startSmtp({
      message: () => {
        asked += 1;
        return asked === 1 ? 'hang' : undefined;
      },
    });
    try {
      const { worker, taskQueue } = await startWorker('mail', { DORMOUSE_SMTP_URL: smtp.url });
      const person = await live.people.create('crash-mail');
      const handle = await live.enrol(person.id, taskQueue, { policyId: 'crash-revoke' });
      await until('the hand-over', () => smtp.messages.length === 1, patience);
      await worker.kill();
      await worker.start();
      await asleepAfter('notice_sent', person, handle);
      expect(await endedByHeartbeat(handle)).toContain('sendMail');
      const names = smtp.messages.slice(0, 2).map((mail) => /^message-id: *(\S+)/im.exec(mail)?.[1]);
      expect(names[0]).toBeDefined();
      expect(names[1]).toBe(names[0]);
      expect((await listMails(live.pool, person.id))[0]).toMatchObject({ state: 'accepted', attempts: 2 });
    } finally {
      await smtp.close();
    }
  },
);

test('the chain of the audit log is whole', async () => {
  expect((await verifyAudit(live.pool)).brokenAt).toBeUndefined();
});
