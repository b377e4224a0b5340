/** The engine's sweep on a real Temporal server: sessions of a published policy end though nobody asks. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { sessionSweep } from '../../src/sessions/schedule.js';
import { admitSession, readSession } from '../../src/sessions/sessions-table.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { publish } from '../support/publish.js';

const policyId = `idle-${randomUUID().slice(0, 8)}`;
let live: Harness;
beforeAll(async () => {
  live = await openHarness();
  await publish(
    live.pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
sessions: { idle: 30m, absolute: 12h }
`,
  );
});
afterAll(() => live.end());

test('a schedule starts the sweep, which ends a session in Kratos and audits it under its policy', async () => {
  const taskQueue = await live.startWorkers();
  const person = await live.people.create('idle');
  const signIn = await live.people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the sign-in');
  const at = Date.now() - 40 * 60_000;
  const session = {
    sessionId: signIn.sessionId,
    identityId: person.id,
    ...{ authenticatedAt: at, latestAt: at },
    ...{ devices: [], roles: [], assurance: 'aal1' as const, policyId },
  };
  await admitSession(live.pool, session);
  await sessionSweep.sync(live.client, taskQueue, 3_600_000);
  const schedule = live.client.schedule.getHandle(sessionSweep.idOf(taskQueue));
  await schedule.describe();
  const result = await live.client.workflow.execute('endIdleSessions', {
    taskQueue,
    workflowId: `sweep-${randomUUID()}`,
    args: [{ schemaVersion: 1 }],
  });
  expect(result).toMatchObject({ schemaVersion: 1, failed: 0 });
  expect(await readSession(live.pool, signIn.sessionId)).toMatchObject({
    ended: { reason: 'idle', rule: 'idle' },
    isClosed: true,
  });
  expect(await live.people.isSignedIn(signIn)).toBe(false);
  expect(await readAudit(live.pool, person.id)).toMatchObject([
    { eventType: 'session_expired_idle', policyId, policyVersion: 1 },
  ]);
  await sessionSweep.sync(live.client, taskQueue, undefined);
  await expect(schedule.describe()).rejects.toThrow();
});
