/** The engine's sweep of refresh tokens on a real Temporal server, with a real Hydra. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { dayMs } from '../../src/domain/duration.js';
import type { PolicyReference } from '../../src/domain/policy-reference.js';
import { createOryClients } from '../../src/ory/clients.js';
import { followRefresh } from '../../src/tokens/refresh/hydra-grants.js';
import { refreshSweep } from '../../src/tokens/refresh/schedule.js';
import { refreshPolicy } from '../domain/tokens/refresh-fixtures.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { publish } from '../support/publish.js';

const policyId = `refresh-${randomUUID().slice(0, 8)}`;
const { adminUrl } = inject('stack').hydra;
const { oauth2 } = createOryClients({ kratosAdminUrl: adminUrl, hydraAdminUrl: adminUrl });
let live: Harness;
let reference: PolicyReference;
beforeAll(async () => {
  live = await openHarness();
  await clearBreaker(live.pool);
  reference = await publish(
    live.pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
breaker: { percentFrom: 1000, stall: off }
tokens: { refresh: {} }
`,
  );
});
afterAll(() => live.end());

test('a schedule starts the sweep, which ends a stale family, audits it under its policy, and revokes it in Hydra', async () => {
  const taskQueue = await live.startWorkers();
  const person = await live.people.create('refresh');
  const tokens = await live.people.authorize(person);
  const { data } = await oauth2.introspectOAuth2Token({ token: tokens.refreshToken });
  const signedInAt = Date.now() - 365 * dayMs;
  const grant = {
    ...{ consent: randomUUID(), identityId: person.id, clientId: data.client_id ?? '' },
    ...{ grant: 'refresh_token' as const, authenticatedAt: signedInAt },
  };
  const judgedBy = { policy: refreshPolicy(), reference };
  expect(await followRefresh(live.pool, judgedBy, grant, signedInAt)).toBe(true);
  await refreshSweep.sync(live.client, taskQueue, 3_600_000);
  const schedule = live.client.schedule.getHandle(refreshSweep.idOf(taskQueue));
  await schedule.describe();
  const result = await live.client.workflow.execute('sweepRefreshTokens', {
    taskQueue,
    workflowId: `sweep-${randomUUID()}`,
    args: [{ schemaVersion: 1 }],
  });
  expect(result).toMatchObject({ schemaVersion: 1, failed: 0 });
  expect(await live.people.isTokenActive(tokens.refreshToken)).toBe(false);
  expect(await readAudit(live.pool, person.id)).toMatchObject([
    { eventType: 'refresh_family_started' },
    {
      eventType: 'refresh_family_revoked',
      policyId,
      policyVersion: 1,
      detail: { why: 'unused', issuer: 'hydra' },
    },
    { eventType: 'tokens_revoked_stale', policyId, detail: { type: 'refresh', families: 1 } },
  ]);
  expect(await followRefresh(live.pool, judgedBy, grant, Date.now())).toBe(false);
  await refreshSweep.sync(live.client, taskQueue, undefined);
  await expect(schedule.describe()).rejects.toThrow();
});
