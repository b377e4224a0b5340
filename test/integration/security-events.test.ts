/** Security events from the ledger to a real receiver over HTTP, which verifies them by the keys of a real gateway. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createLedgerActivities } from '../../src/activities/ledger.js';
import { createSecurityEventActivities, type Delivered } from '../../src/activities/security-events.js';
import { readAudit } from '../../src/audit/log-table.js';
import { type AuditEntry, installationId } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { createPool } from '../../src/postgres/pool.js';
import type { ConnectedReceiver, EventSender } from '../../src/security-events/load.js';
import { listOutbox, type OutboxState } from '../../src/security-events/outbox-table.js';
import { retryAndAudit } from '../../src/security-events/retry.js';
import { type EventName, eventNames, eventUris } from '../../src/security-events/rules.js';
import { auditEntry } from '../support/audit-forger.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import {
  accept,
  type EventReceiver,
  type ReceivedEvent,
  refuse,
  startReceiver,
  status,
} from '../support/signal-receiver.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { unknownId } from '../support/system-outside.js';

const issuer = 'https://dormouse.example.com';
const subjectIssuer = 'https://hydra.example.com/';
const audience = 'https://billing.example.com';
const [key, retired] = [generateSigningKey('rsa'), generateSigningKey('ed25519')];

/** Failures are what some of these tests are about. */
const quietEnvironment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

let database: FreshDatabase;
let pool: pg.Pool;
let gateway: TestGateway;
let receiver: EventReceiver;
let now = 0;

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
  const streams = { issuer, subjectIssuer, receivers: [] };
  gateway = await listenGateway({
    stack: inject('stack'),
    more: { securityEvents: { streams, keys: [key, { ...retired }] } },
  });
});
afterAll(async () => {
  await gateway.close();
  await database.close();
});
beforeEach(async () => {
  await pool.query('TRUNCATE signal_outbox');
  now = Date.UTC(2026, 5, 1);
  receiver = await startReceiver({ jwksUri: `${gateway.url}/.well-known/jwks.json`, issuer, audience });
  return () => receiver.close();
});

function receiverConfig(more: Partial<ConnectedReceiver> = {}): ConnectedReceiver {
  return {
    name: 'billing',
    endpoint: receiver.url,
    audience,
    events: [...eventNames],
    authorization: 'Bearer of-the-receiver',
    deliverEvery: 60_000,
    ...more,
  };
}

async function record(receivers: readonly ConnectedReceiver[], ...audit: AuditEntry[]): Promise<void> {
  const ledger = createLedgerActivities({ pool, policies: new PolicyReader(pool), receivers });
  await ledger.record({ revision: 1, audit });
}

const happened = (eventType: AuditEntry['eventType'], more: Partial<AuditEntry> = {}) =>
  auditEntry({ eventType, ...more });

async function deliver(to: ConnectedReceiver = receiverConfig()): Promise<Delivered> {
  const sender: EventSender = { streams: { issuer, subjectIssuer, receivers: [to] }, receivers: [to], key };
  const { deliverSignals } = createSecurityEventActivities({ pool, clock: { now: async () => now }, sender });
  return quietEnvironment().run(deliverSignals, { receiver: to.name });
}

const outbox = (state: OutboxState) => listOutbox(pool, state, 100);
const signalsIn = (events: readonly ReceivedEvent[]): string[] =>
  events.flatMap(({ payload }) => Object.keys(Object(payload.events)));
const uris = (...names: EventName[]) => names.map((name) => eventUris[name]);

describe('a security event', () => {
  it('arrives signed, typed and addressed as the specifications want it', async () => {
    const target = unknownId();
    const occurredAt = Date.UTC(2026, 4, 31, 23);
    await record([receiverConfig()], happened('tokens_revoked_stale', { target, occurredAt }));
    expect(await deliver()).toEqual({ delivered: 1, failed: 0, parked: 0, more: false });
    const [event] = receiver.received;
    expect(receiver.refused).toEqual([]);
    expect(event).toMatchObject({
      authorization: 'Bearer of-the-receiver',
      contentType: 'application/secevent+jwt',
    });
    expect(event?.payload).toEqual({
      iss: issuer,
      aud: audience,
      jti: (await outbox('delivered'))[0]?.jti,
      iat: expect.any(Number),
      txn: expect.stringMatching(/^audit-\d+$/),
      toe: occurredAt / 1_000,
      sub_id: { format: 'iss_sub', iss: subjectIssuer, sub: target },
      events: {
        [eventUris['session-revoked']]: {
          event_timestamp: occurredAt / 1_000,
          initiating_entity: 'policy',
          reason_admin: { en: expect.any(String) },
        },
      },
    });
    expect(await deliver()).toMatchObject({ delivered: 0 });
    expect(receiver.received).toHaveLength(1);
  });

  it('is sent for each act once, in order, to the receivers that subscribe to it', async () => {
    const target = unknownId();
    const purge = receiverConfig({ name: 'purge', events: ['account-purged'] });
    const enabled = { undone: 'revoke,deactivate', enabled: true };
    const acts = [
      happened('inactivity_warned', { target }),
      happened('tokens_revoked_stale', { target }),
      happened('account_deactivated', { target }),
      happened('account_reactivated', { target, detail: enabled }),
      happened('account_deleted', { target }),
    ];
    await record([receiverConfig(), purge], ...acts);
    await record([receiverConfig(), purge], ...acts);
    expect(await deliver()).toMatchObject({ delivered: 4 });
    expect(signalsIn(receiver.received)).toEqual(
      uris('session-revoked', 'account-disabled', 'account-enabled', 'account-purged'),
    );
    receiver.received.length = 0;
    expect(await deliver(purge)).toMatchObject({ delivered: 1 });
    expect(signalsIn(receiver.received)).toEqual(uris('account-purged'));
    expect(new Set((await outbox('delivered')).map(({ jti }) => jti)).size).toBe(5);
  });

  it('is written with the audit row or not at all', async () => {
    const target = unknownId();
    const broken = receiverConfig({ name: 'bad\0name' });
    await expect(record([broken], happened('account_deleted', { target }))).rejects.toThrow();
    expect(await readAudit(pool, target)).toEqual([]);
    expect(await outbox('pending')).toEqual([]);
  });
});

describe('a receiver', () => {
  it('that is down gets everything when it is up again, later each time, with the same jti', async () => {
    await record([receiverConfig()], happened('account_deleted'));
    receiver.answer = status(503);
    expect(await deliver()).toMatchObject({ delivered: 0, failed: 1 });
    // Not due again yet.
    expect(await deliver()).toMatchObject({ failed: 0 });
    now += 60_000;
    const nobody = receiverConfig({ endpoint: 'http://127.0.0.1:1/events' });
    expect(await deliver(nobody)).toMatchObject({ failed: 1 });
    expect((await outbox('pending'))[0]).toMatchObject({ attempts: 2, lastError: 'no connection' });
    now += 119_999;
    expect(await deliver()).toMatchObject({ delivered: 0, failed: 0 });
    now += 1;
    receiver.answer = accept;
    expect(await deliver()).toMatchObject({ delivered: 1 });
    const [first, second] = receiver.received.map(({ payload }) => payload);
    expect(second).toEqual(first);
    expect((await outbox('delivered'))[0]).toMatchObject({ attempts: 3, lastError: null });
  });

  it('that is down is asked three times and then left alone until the next time', async () => {
    await record([receiverConfig()], ...Array.from({ length: 5 }, () => happened('account_deleted')));
    receiver.answer = status(500);
    expect(await deliver()).toEqual({ delivered: 0, failed: 3, parked: 0, more: false });
    expect(receiver.received).toHaveLength(3);
  });

  it.each([
    'invalid_request',
    'invalid_audience',
    'invalid_issuer',
  ])('that answers 400 %s has the event parked at once, and the others delivered', async (err) => {
    const [bad, good] = [unknownId(), unknownId()];
    await record(
      [receiverConfig()],
      happened('account_deleted', { target: bad }),
      happened('account_deleted', { target: good }),
    );
    receiver.answer = (event, response) =>
      JSON.stringify(event.payload).includes(bad) ? refuse(err)(event, response) : accept(event, response);
    expect(await deliver()).toMatchObject({ delivered: 1, parked: 1 });
    const [parked] = await outbox('parked');
    expect(parked).toMatchObject({ identityId: bad, attempts: 1, lastError: `400 ${err}` });
  });

  it.each([
    'invalid_key',
    'authentication_failed',
    'access_denied',
  ])('that answers 400 %s is tried again: this error can be mended', async (err) => {
    await record([receiverConfig()], happened('account_deleted'));
    receiver.answer = refuse(err);
    expect(await deliver()).toMatchObject({ failed: 1, parked: 0 });
    expect((await outbox('pending'))[0]?.lastError).toBe(`400 ${err}`);
  });

  it.each([
    ['401', status(401)],
    ['429', status(429)],
    ['200', status(200)],
    ['302', status(302, { location: '/elsewhere' })],
  ])('that answers %s has not taken it', async (error, answer) => {
    await record([receiverConfig()], happened('account_deleted'));
    receiver.answer = answer;
    expect(await deliver()).toMatchObject({ delivered: 0, failed: 1 });
    expect(receiver.received).toHaveLength(1);
    expect((await outbox('pending'))[0]?.lastError).toBe(error);
  });

  it('that never takes an event has it parked in the end, until an operator has it tried again', async () => {
    await record([receiverConfig()], happened('account_deleted'));
    receiver.answer = status(503);
    for (let day = 0; day < 30; day += 1) {
      await deliver();
      now += dayMs;
    }
    const [parked] = await outbox('parked');
    expect(parked).toMatchObject({ attempts: 18, lastError: '503' });
    expect(receiver.received).toHaveLength(18);
    receiver.answer = accept;
    expect(await deliver()).toMatchObject({ delivered: 0 });
    const decision = { actor: 'credential:olga', at: now };
    const audited = async () =>
      (await readAudit(pool, installationId)).filter((one) => one.eventType === 'security_events_retried');
    expect(await retryAndAudit(pool, { receiver: 'another', ...decision })).toBe(0);
    expect(await audited()).toEqual([]);
    const jti = parked?.jti ?? '';
    expect(await retryAndAudit(pool, { jti, ...decision })).toBe(1);
    expect(await audited()).toMatchObject([{ actor: 'credential:olga', detail: { retried: 1, jti } }]);
    expect(await deliver()).toMatchObject({ delivered: 1 });
  });

  it('hears of one account in order, also where one event has to wait; other accounts do not wait', async () => {
    const [target, other] = [unknownId(), unknownId()];
    await record(
      [receiverConfig()],
      happened('account_deactivated', { target }),
      happened('account_reactivated', { target, detail: { undone: 'deactivate' } }),
      happened('account_deleted', { target: other }),
    );
    receiver.answer = (event, response) =>
      JSON.stringify(event.payload).includes('disabled')
        ? status(503)(event, response)
        : accept(event, response);
    expect(await deliver()).toMatchObject({ delivered: 1, failed: 1 });
    expect(signalsIn(receiver.received)).toEqual(uris('account-disabled', 'account-purged'));
    receiver.answer = accept;
    now += dayMs;
    expect(await deliver()).toMatchObject({ delivered: 2 });
    expect(signalsIn(receiver.received).slice(-2)).toEqual(uris('account-disabled', 'account-enabled'));
  });

  it('that took an event before it could be noted gets it again under the same jti', async () => {
    await record([receiverConfig()], happened('account_deleted'));
    // The connection to the database breaks in the instant between the answer and the note.
    const own = createPool({ url: database.url, max: 1 });
    const to = receiverConfig();
    const sender: EventSender = {
      streams: { issuer, subjectIssuer, receivers: [to] },
      receivers: [to],
      key,
    };
    const activities = createSecurityEventActivities({ pool: own, clock: { now: async () => now }, sender });
    receiver.answer = async (event, response) => {
      await own.end();
      accept(event, response);
    };
    const attempt = quietEnvironment().run(activities.deliverSignals, { receiver: to.name });
    await expect(attempt).rejects.toThrow(/pool after calling end/);
    receiver.answer = accept;
    expect(await deliver()).toMatchObject({ delivered: 1 });
    expect(receiver.received).toHaveLength(2);
    expect(new Set(receiver.received.map(({ payload }) => payload.jti)).size).toBe(1);
  });

  it('that the worker does not know fails for good, with the way out', async () => {
    const activities = createSecurityEventActivities({ pool, clock: { now: async () => now } });
    const work = quietEnvironment().run(activities.deliverSignals, { receiver: 'nobody' });
    await expect(work).rejects.toMatchObject({
      type: 'UnknownSignalReceiver',
      nonRetryable: true,
      message: expect.stringContaining('DORMOUSE_SHARED_SIGNALS_FILE'),
    });
  });
});

it('delivered events are forgotten after a month, and no others', async () => {
  await record([receiverConfig()], happened('account_deleted'));
  await deliver();
  await record([receiverConfig()], happened('account_deleted'));
  now += 29 * dayMs;
  receiver.answer = status(503);
  await deliver();
  expect(await outbox('delivered')).toHaveLength(1);
  now += 2 * dayMs;
  await deliver();
  expect(await outbox('delivered')).toEqual([]);
  expect(await outbox('pending')).toHaveLength(1);
});

describe('the gateway', () => {
  it('publishes public keys, older ones too, and nothing private', async () => {
    const { keys } = JSON.parse(await (await fetch(`${gateway.url}/.well-known/jwks.json`)).text());
    expect(keys.map(({ kid, alg }: Record<string, string>) => [kid, alg])).toEqual([
      [key.keyId, 'RS256'],
      [retired.keyId, 'EdDSA'],
    ]);
    for (const jwk of keys)
      for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(jwk).not.toHaveProperty(part);
  });

  it('publishes the metadata of the transmitter', async () => {
    expect(await (await fetch(`${gateway.url}/.well-known/ssf-configuration`)).json()).toEqual({
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      delivery_methods_supported: ['urn:ietf:rfc:8935'],
      default_subjects: 'ALL',
    });
  });

  it('publishes neither without a configuration, and answers 429 to a caller beyond the limit', async () => {
    const streams = { issuer, subjectIssuer, receivers: [] };
    const plain = await listenGateway({ stack: inject('stack') });
    const busy = await listenGateway({
      stack: inject('stack'),
      more: { securityEvents: { streams, keys: [key] }, rateLimits: { openPerMinute: 2 } },
    });
    for (const path of ['jwks.json', 'ssf-configuration']) {
      expect((await fetch(`${plain.url}/.well-known/${path}`)).status).toBe(404);
    }
    const answers = [];
    for (let turn = 0; turn < 3; turn += 1)
      answers.push((await fetch(`${busy.url}/.well-known/jwks.json`)).status);
    expect(answers).toEqual([200, 200, 429]);
    await plain.close();
    await busy.close();
  });
});
