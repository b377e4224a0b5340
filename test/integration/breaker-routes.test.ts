/** The breaker's release over HTTP, by credentials: two of one owner are one operator. In a database of its own. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { approveRelease, proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { CredentialDirectory } from '../../src/principals/directory.js';
import { createCredential } from '../../src/principals/issue.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh } from '../support/system-outside.js';

let database: FreshDatabase;
let directory: CredentialDirectory;
let gateway: TestGateway;

beforeAll(async () => {
  database = await openFreshDatabase();
  const onError = (error: unknown) => {
    throw error;
  };
  directory = new CredentialDirectory({ pool: database.pool, postgresUrl: database.url, onError });
  gateway = await listenGateway({
    stack: inject('stack'),
    more: { breaker: database.pool, credentials: directory },
  });
  await directory.start();
});
afterAll(async () => {
  await gateway.close();
  await directory.close();
  await database.close();
});

async function credential(
  owner: string,
  scopes: readonly string[],
): Promise<{ actor: string; secret: string }> {
  const name = fresh('c').toLowerCase();
  const secret = await createCredential(database.pool, { name, owner, scopes, networks: [], actor: 'olga' });
  await directory.refresh();
  return { actor: `credential:${name}`, secret };
}

async function ask(secret: string, path: string, body?: object) {
  const answer = await fetch(new URL(path, gateway.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  return { status: answer.status, body: (await answer.json()) as any };
}

const trip = () =>
  inTransaction(database.pool, (client) =>
    tripAndAudit(
      client,
      { scope: 'delete', cause: 'operator', why: 'stop', trippedAt: Date.now(), operators: 2 },
      'op-1',
    ),
  );
const both = ['breaker:read', 'breaker:propose', 'breaker:approve'];
const audit = async (releaseId: number) =>
  (
    await database.pool.query(
      "SELECT actor, event_type FROM audit WHERE detail ->> 'releaseId' = $1 ORDER BY seq",
      [String(releaseId)],
    )
  ).rows;

it('two credentials of one owner count as one; another owner ends the trip, and the log names both', async () => {
  const { id } = await trip();
  const [one, second, other] = [
    await credential('Olga', both),
    await credential('olga', both),
    await credential('oleg', ['breaker:approve']),
  ];
  expect((await ask(one.secret, '/v1/breaker')).body).toMatchObject({
    trips: [{ id, scope: 'delete', operators: 2 }],
  });
  const proposed = await ask(one.secret, `/v1/breaker/trips/${id}/releases`, {
    reason: 'approved in CHG-12',
  });
  expect([proposed.status, proposed.body.effectiveAt]).toEqual([200, undefined]);
  const approvals = `/v1/breaker/releases/${proposed.body.id}/approvals`;
  for (const { secret } of [one, second]) {
    const refused = await ask(secret, approvals, {});
    expect([refused.status, refused.body.message]).toEqual([
      400,
      expect.stringMatching(/agreed to release \d+ already/),
    ]);
  }
  expect(await ask(other.secret, approvals, {})).toMatchObject({
    status: 200,
    body: { actors: [one.actor, other.actor], owners: ['Olga', 'oleg'], effectiveAt: expect.any(String) },
  });
  expect(await audit(proposed.body.id)).toEqual([
    { actor: one.actor, event_type: 'breaker_release_proposed' },
    { actor: other.actor, event_type: 'breaker_released' },
  ]);
});

it('who agreed on the command line and by a credential of their own is one operator, also to the database', async () => {
  const { id } = await trip();
  const own = await credential('op-1', both);
  const at = Date.now();
  const proposed = await proposeRelease(database.pool, { tripId: id, actor: 'OP-1', reason: 'right', at });
  const refused = await ask(own.secret, `/v1/breaker/releases/${proposed.id}/approvals`, {});
  expect(refused.status).toBe(400);
  const agree = (sql: string, values: unknown[]) => database.pool.query(`SELECT ${sql}`, values);
  const twice = { code: '23505' };
  await expect(
    agree('breaker_agree_as($1, $2, $3, 1)', [proposed.id, own.actor, 'op-1']),
  ).rejects.toMatchObject(twice);
  expect(await approveRelease(database.pool, { releaseId: proposed.id, actor: 'op-2', at })).toMatchObject({
    owners: ['OP-1', 'op-2'],
  });
  const next = await trip();
  const other = await ask(own.secret, `/v1/breaker/trips/${next.id}/releases`, { reason: 'right' });
  await expect(agree('breaker_agree($1, $2, 1)', [other.body.id, 'Op-1'])).rejects.toMatchObject(twice);
  await expect(
    approveRelease(database.pool, { releaseId: other.body.id, actor: 'Op-1', at }),
  ).rejects.toThrow(/agreed/);
});

it('a reason with an address, an unknown trip, and a credential that may only propose are refused', async () => {
  const { id } = await trip();
  const { secret } = await credential('olga', ['breaker:propose']);
  const path = `/v1/breaker/trips/${id}/releases`;
  expect((await ask(secret, path, { reason: 'jane@example.com' })).body.message).toMatch(/^reason: /);
  expect((await ask(secret, '/v1/breaker/trips/999/releases', { reason: 'right' })).status).toBe(400);
  expect((await ask(secret, path, { reason: 'right', actor: 'oleg' })).status).toBe(400);
  const { body } = await ask(secret, path, { reason: 'right' });
  expect((await ask(secret, `/v1/breaker/releases/${body.id}/approvals`, {})).status).toBe(403);
});
