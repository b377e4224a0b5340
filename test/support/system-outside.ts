/** What tests of the system share: the outside systems of the injected stack, the activities on them, fresh policies. */
import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { createHydraActivities } from '../../src/activities/hydra.js';
import { createKratosActivities } from '../../src/activities/kratos.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import { createLedgerActivities } from '../../src/activities/ledger.js';
import { createOryClients, type OryClients } from '../../src/ory/clients.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { createPool } from '../../src/postgres/pool.js';
import { systemClock } from '../../src/process/clock.js';
import { openKratosDatabase } from './kratos-database.js';

/** A fresh word for names that must not meet those of another test. */
export const fresh = (prefix: string): string => `${prefix}-${randomBytes(5).toString('hex')}`;

export const testIdentifierKey = 'a key that only the tests know, of 32 characters';

export type Outside = ReturnType<typeof openOutside>;

/** Connects to the stack; to be closed by the file that opened it. */
export function openOutside() {
  const stack = inject('stack');
  const pool = createPool({ url: stack.postgres.url });
  const kratosDatabase = openKratosDatabase(stack);
  const people = new OryPeople(stack);
  const policies = new PolicyReader(pool);
  const ory = createOryClients({
    kratosAdminUrl: stack.kratos.adminUrl,
    hydraAdminUrl: stack.hydra.adminUrl,
  });
  const activitiesOn = (clients: OryClients) => ({
    ...createKratosActivities({
      identities: clients.identities,
      pool,
      clock: systemClock,
      policies,
      identifierKey: testIdentifierKey,
    }),
    ...createKratosDeletionActivities({
      identities: clients.identities,
      pool,
      clock: systemClock,
      policies,
      identifierKey: testIdentifierKey,
    }),
    ...createHydraActivities({ oauth2: clients.oauth2 }),
  });
  return {
    stack,
    pool,
    kratosDatabase,
    people,
    policies,
    ory,
    activitiesOn,
    ...activitiesOn(ory),
    ledger: createLedgerActivities({ pool, policies }),
    async close(): Promise<void> {
      await Promise.all([pool.end(), kratosDatabase.end()]);
    },
  };
}

/** A ladder in days: nothing happens while a test runs. */
export function slowPolicy(id: string, more = ''): string {
  return `id: ${id}
ladder:
  warn: { after: 30d }
  revoke: { after: 90d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }
  deactivate: { after: 365d, notices: [7d], noticeFloor: 7d, withoutNotice: wait }
recheck: 7d
retry: { attempts: 3, firstAfter: 1s, longestAfter: 1s }
${more}`;
}

/** Deactivates after two seconds. */
export function fastPolicy(id: string): string {
  return `id: ${id}
allowShortDurations: true
ladder:
  deactivate: { after: 2s, notices: [1s], noticeFloor: 1s, withoutNotice: wait }
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } } }
recheck: 2s
retry: { attempts: 2, firstAfter: 1s, longestAfter: 1s }
`;
}

export { publish } from './publish.js';

/** An identity id that no system knows. */
export const unknownId = (): string => randomUUID();

/** Makes Kratos refuse every change to the identity: its traits hold a field that its schema does not allow. */
export async function makeUnfit(kratosDatabase: pg.Pool, identityId: string): Promise<void> {
  await kratosDatabase.query(
    `UPDATE identities SET traits = traits || '{"leftover":"of an older schema"}' WHERE id = $1`,
    [identityId],
  );
}

export async function makeFit(kratosDatabase: pg.Pool, identityId: string): Promise<void> {
  await kratosDatabase.query(`UPDATE identities SET traits = traits - 'leftover' WHERE id = $1`, [
    identityId,
  ]);
}

/** Changes the state in Kratos as an admin does. @returns `state_changed_at` afterwards, epoch milliseconds */
export async function setStateByHand(
  people: OryPeople,
  id: string,
  state: 'active' | 'inactive',
): Promise<number> {
  await people.identities.patchIdentity({
    id,
    jsonPatch: [{ op: 'replace', path: '/state', value: state }],
  });
  return stateChangedAt(people, id);
}

export async function stateChangedAt(people: OryPeople, id: string): Promise<number> {
  const { data } = await people.identities.getIdentity({ id });
  return Date.parse(data.state_changed_at ?? '');
}

export async function stateOf(people: OryPeople, id: string): Promise<string | undefined> {
  const { data } = await people.identities.getIdentity({ id });
  return data.state;
}
