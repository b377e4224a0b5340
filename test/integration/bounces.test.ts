/** Bounces: how they come in, what they change, and that they only ever hold a step back. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createKratosActivities } from '../../src/activities/kratos.js';
import { createKratosDeletionActivities } from '../../src/activities/kratos-deletion.js';
import { dayMs } from '../../src/domain/duration.js';
import type { Standing } from '../../src/domain/standing.js';
import { unmatchedBounces } from '../../src/mail/bounces-table.js';
import { listMails } from '../../src/mail/mails-table.js';
import { createNotifiedAddresses } from '../../src/mail/notified-addresses-table.js';
import { mailgunFailure, postmarkBounce, sendgridEvents } from '../mail/samples/others.js';
import { inSns, sesBareBounce, sesBounce, snsConfirmation } from '../mail/samples/ses.js';
import { typed } from '../support/command.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { openMail } from '../support/mail.js';
import { fresh, publish, slowPolicy, stateOf, unknownId } from '../support/system-outside.js';
import { rejection } from '../support/system-wait.js';

const fixture = openMail();
const { people, pool, mailOver, requestFor, smtpWith, addRecoveryAddress, kratosDatabase } = fixture;
let gateway: TestGateway;
let policyId: string;

let desk: Desk;
let operator: Operator;
beforeAll(async () => {
  gateway = await listenGateway({ stack: inject('stack') });
  desk = await openDesk();
  operator = await desk.operator();
  policyId = fresh('policy');
  await publish(pool, slowPolicy(policyId));
});
afterEach(() => fixture.cleanUp());
afterAll(async () => {
  await desk.close();
  await gateway.close();
  await fixture.close();
});

/** A person with a sent notice, and the Message-ID of each copy. */
async function noticed(more: { second?: string } = {}) {
  const person = await people.create('bounce');
  if (more.second !== undefined) await addRecoveryAddress(person.id, more.second);
  const server = await smtpWith();
  const request = requestFor(person);
  await mailOver(server.url).sendMail(request);
  const messageIds = (await listMails(pool, person.id)).map(({ messageId }) => messageId);
  const [messageId = ''] = messageIds;
  return { person, request, key: request.key, messageId, messageIds };
}

async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const answer = await fetch(new URL(path, gateway.url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-dormouse-hook-key': gateway.hookKeys.mail[0],
      ...headers,
    },
    body,
  });
  return { status: answer.status, body: await answer.text() };
}
const bounce = (fields: object, headers?: Record<string, string>) =>
  post('/v1/mail/bounces', JSON.stringify(fields), headers);
const assess = (identityId: string, notices: string[]) =>
  fixture.assess({ identityId, policyChoice: { id: policyId }, notices });
const stateAt = async (identityId: string) => (await listMails(pool, identityId))[0];

const report = (messageId: string) => `From: MAILER-DAEMON@mx.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; gone@people.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: ${messageId}
--b--
`;

describe('POST /v1/mail/bounces', () => {
  it('a hard one: the notice does not count any more, and nothing of the diagnosis but its code is kept', async () => {
    const { person, key, messageId } = await noticed();
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'accepted' }]);
    const diagnosticCode = `smtp; 550 5.1.1 <${person.email}> unknown`;
    expect(await bounce({ messageId, kind: 'hard', diagnosticCode })).toEqual({
      status: 202,
      body: '{"outcome":"taken"}',
    });
    expect(await stateAt(person.id)).toMatchObject({
      state: 'bounced',
      bounceClass: 'hard',
      bounceCode: '5.1.1',
    });
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'bounced' }]);
    const row = await pool.query('SELECT * FROM mail WHERE request_key = $1', [key]);
    expect(JSON.stringify(row.rows)).not.toContain('example.com');
  });

  it.each([
    '5.7.1',
    '5.4.5',
    '5.3.2',
    '5.1.8',
    '4.4.7',
  ])('a hard one by %s, which is about a server on the way: no notice for any policy, and nothing against the address', async (diagnosticCode) => {
    const person = await people.create('relay');
    const server = await smtpWith();
    for (let mail = 0; mail < 4; mail += 1) {
      const request = { ...requestFor(person), key: fresh('key') };
      expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
      const messageId = (await listMails(pool, person.id)).find(
        ({ state }) => state === 'accepted',
      )?.messageId;
      await bounce({ messageId, kind: 'hard', diagnosticCode });
      const outcome = 'relay-failed';
      expect((await assess(person.id, [request.key])).notices).toEqual([{ key: request.key, outcome }]);
      expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome });
    }
    expect(server.messages).toHaveLength(4);
  });

  it.each(['soft', 'complaint'] as const)('a %s one is noted, and the notice counts', async (kind) => {
    const { person, key, messageId } = await noticed();
    await bounce({ messageId, kind });
    expect(await stateAt(person.id)).toMatchObject({ state: 'accepted', bounceClass: kind });
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'accepted' }]);
  });

  it('nothing takes a hard one back, and its time is never in the future', async () => {
    const { person, messageId } = await noticed();
    await bounce({ messageId, kind: 'hard', at: '2999-01-01T00:00:00Z', diagnosticCode: '5.1.1' });
    const hard = await stateAt(person.id);
    expect(hard?.bouncedAt).toBeLessThanOrEqual(Date.now());
    await bounce({ messageId, kind: 'soft', diagnosticCode: '4.0.0' });
    expect(await stateAt(person.id)).toEqual(hard);
  });

  it('one address of two: the other copy is notice enough; both: none is left', async () => {
    const { person, key, messageIds } = await noticed({ second: `${fresh('second')}@example.com` });
    const [first, second] = messageIds;
    await bounce({ messageId: first, kind: 'hard' });
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'accepted' }]);
    await bounce({ messageId: second, kind: 'hard' });
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'bounced' }]);
  });

  it('a mail that bounced is not sent again under its name, and one that bounced before it was settled stays so', async () => {
    const { request, messageId, person } = await noticed();
    await bounce({ messageId, kind: 'hard' });
    const server = await smtpWith();
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'bounced' });
    expect(server.messages).toEqual([]);

    const early = requestFor(person);
    const quick = await smtpWith({
      message: () => ({
        until: listMails(pool, person.id).then(async (rows) => {
          await bounce({ messageId: rows.at(-1)?.messageId, kind: 'hard' });
        }),
      }),
    });
    expect(await mailOver(quick.url).sendMail(early)).toMatchObject({ outcome: 'accepted' });
    expect((await assess(person.id, [early.key])).notices).toEqual([{ key: early.key, outcome: 'bounced' }]);
  });

  it('an unknown mail is answered alike, and changes nothing', async () => {
    const { person } = await noticed();
    const before = await listMails(pool, person.id);
    const messageId = `<${'0'.repeat(40)}@dormouse.test>`;
    expect(await bounce({ messageId, kind: 'hard' })).toEqual({ status: 202, body: '{"outcome":"taken"}' });
    expect(await listMails(pool, person.id)).toEqual(before);
  });

  it.each([
    [
      'a strange Message-ID',
      { messageId: '<x@example.org>', kind: 'hard' },
      /messageId: is no Message-ID of Dormouse/,
    ],
    ['an unknown kind', { messageId: `<${'0'.repeat(40)}@d.test>`, kind: 'gone' }, /kind/],
    ['an unknown field', { messageId: `<${'0'.repeat(40)}@d.test>`, kind: 'hard', email: 'x' }, /email/],
  ])('refuses %s, by its field', async (_what, fields, message) => {
    const answer = await bounce(fields);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(message);
  });

  it('accepts a hook key or a service token only, and no large body', async () => {
    const { messageId } = await noticed();
    const fields = { messageId, kind: 'soft' };
    const bearer = { authorization: `Bearer ${gateway.tokens[0]}` };
    expect((await bounce(fields, { 'x-dormouse-hook-key': '', ...bearer })).status).toBe(202);
    expect((await bounce(fields, { 'x-dormouse-hook-key': 'wrong' })).status).toBe(401);
    expect((await bounce({ ...fields, diagnosticCode: 'x'.repeat(5_000) })).status).toBe(413);
  });
});

describe('POST /v1/mail/dsn', () => {
  const rfc822 = { 'content-type': 'message/rfc822' };

  it('a report of a failure is a hard bounce', async () => {
    const { person, messageId } = await noticed();
    expect(await post('/v1/mail/dsn', report(messageId), rfc822)).toEqual({
      status: 202,
      body: '{"outcome":"taken"}',
    });
    expect(await stateAt(person.id)).toMatchObject({ state: 'bounced', bounceCode: '5.1.1' });
  });

  it('anything else is taken and changes nothing', async () => {
    const { person, messageId } = await noticed();
    for (const text of [`In-Reply-To: ${messageId}\n\nfailed`, '', '\u0000']) {
      expect((await post('/v1/mail/dsn', text, rfc822)).status).toBe(202);
    }
    expect(await stateAt(person.id)).toMatchObject({ state: 'accepted', bounceClass: null });
  });

  it('needs a credential, its content type, and a reasonable size', async () => {
    expect((await post('/v1/mail/dsn', 'x', { ...rfc822, 'x-dormouse-hook-key': 'wrong' })).status).toBe(401);
    expect((await post('/v1/mail/dsn', '{}')).status).toBe(415);
    expect((await post('/v1/mail/dsn', 'x'.repeat(300_000), rfc822)).status).toBe(413);
  });
});

describe('a relay that writes Message-IDs of its own', () => {
  /** @returns the relay's name for the mail at acceptance */
  async function relayed() {
    const queueId = `0102${fresh('018e')}-000000`;
    const person = await people.create('relayed');
    const server = await smtpWith({ message: () => ({ code: 250, text: `Ok ${queueId}` }) });
    const request = requestFor(person);
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
    return { person, queueId, key: request.key };
  }
  const bareReport = (queueId: string) => report(`<${queueId}@eu-west-1.amazonses.com>`);
  const unmatched = async () => (await unmatchedBounces(gateway.pool))[0];

  it.each([
    [
      'as a report',
      (id: string) => post('/v1/mail/dsn', bareReport(id), { 'content-type': 'message/rfc822' }),
    ],
    ['in the neutral form', (id: string) => bounce({ queueId: id, kind: 'hard', diagnosticCode: '5.1.1' })],
    ['as an event of SES', (id: string) => event('ses', sesNamed(id))],
    [
      'as an event of SES by SNS',
      (id: string) => event('ses', inSns(sesNamed(id)), 'text/plain; charset=UTF-8'),
    ],
  ])('its bounce is matched by what it said at acceptance: %s', async (_what, tell) => {
    const { person, queueId, key } = await relayed();
    expect((await tell(queueId)).status).toBe(202);
    expect(await stateAt(person.id)).toMatchObject({ state: 'bounced', bounceCode: '5.1.1', queueId });
    expect((await assess(person.id, [key])).notices).toEqual([{ key, outcome: 'bounced' }]);
  });

  const sesNamed = (messageId: string) => ({ ...sesBareBounce, mail: { ...sesBareBounce.mail, messageId } });
  const event = (provider: string, body: object, type = 'application/json') =>
    post(`/v1/mail/events/${provider}`, JSON.stringify(body), { 'content-type': type });

  it('one that two mails may be meant by, and one that none is, are shown and bounce nobody', async () => {
    const [first, second] = [await relayed(), await relayed()];
    await pool.query('UPDATE mail SET queue_id = $1 WHERE identity_id = ANY($2)', [
      first.queueId,
      [first.person.id, second.person.id],
    ]);
    await bounce({ queueId: first.queueId, kind: 'hard', diagnosticCode: '5.1.1' });
    expect(await unmatched()).toMatchObject({
      source: 'http',
      kind: 'hard',
      code: '5.1.1',
      reference: first.queueId,
    });
    for (const { person } of [first, second])
      expect(await stateAt(person.id)).toMatchObject({ state: 'accepted' });
    const name = `<${'0'.repeat(40)}@dormouse.test>`;
    await post('/v1/mail/dsn', report(name), { 'content-type': 'message/rfc822' });
    expect(await unmatched()).toMatchObject({ source: 'dsn', reference: name });
    const { stdout } = await operator.typed(['mail', 'unmatched']);
    expect(stdout.split('\n')[1]).toMatch(/dsn +hard +5\.1\.1 +<0{40}@dormouse\.test>$/);
    expect(stdout).not.toContain('people.example');
  });

  it('a bounce by a server’s name that is reused, for a mail of long ago: bounces nobody', async () => {
    const { person, queueId } = await relayed();
    await pool.query("UPDATE mail SET settled_at = now() - interval '61 days' WHERE identity_id = $1", [
      person.id,
    ]);
    await bounce({ queueId, kind: 'hard' });
    expect(await stateAt(person.id)).toMatchObject({ state: 'accepted' });
    expect(await unmatched()).toMatchObject({ reference: queueId });
  });
});

describe('POST /v1/mail/events/…', () => {
  const name = (messageId: string) => messageId.slice(1, 41);
  const send = (provider: string, body: unknown, headers: Record<string, string> = {}) =>
    post(`/v1/mail/events/${provider}`, typeof body === 'string' ? body : JSON.stringify(body), headers);

  it.each([
    ['ses', sesBounce],
    ['postmark', postmarkBounce],
    ['mailgun', mailgunFailure],
    ['sendgrid', sendgridEvents],
  ] as const)('%s: a bounce, as the provider sends it', async (provider, eventOf) => {
    const { person, messageId } = await noticed();
    expect(await send(provider, eventOf(name(messageId)))).toEqual({
      status: 202,
      body: '{"outcome":"taken"}',
    });
    expect(await stateAt(person.id)).toMatchObject({ state: 'bounced', bounceClass: 'hard' });
  });

  it('accepts the key as the password of the address, as providers send it, and nothing else', async () => {
    const { person, messageId } = await noticed();
    const basic = (password: string) => ({
      'x-dormouse-hook-key': '',
      authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}`,
    });
    const body = postmarkBounce(name(messageId));
    for (const password of ['', 'wrong', gateway.tokens[0], gateway.hookKeys.kratos[0]]) {
      const { 'x-dormouse-hook-key': _none, ...headers } = basic(password);
      const answer = await fetch(new URL('/v1/mail/events/postmark', gateway.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(401);
    }
    const answer = await fetch(new URL('/v1/mail/events/postmark', gateway.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: basic(gateway.hookKeys.mail[1]).authorization,
      },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(202);
    expect(await stateAt(person.id)).toMatchObject({ state: 'bounced' });
  });

  it.each([
    ['what is no JSON', 'ses', '{', 400, /body: is not JSON/],
    [
      'what is no event, without repeating it',
      'postmark',
      { Email: 'gone@people.example' },
      400,
      /body\.RecordType: is not what/,
    ],
    [
      'a provider that is not known',
      'acme',
      {},
      400,
      /provider: is none of ses, postmark, mailgun, sendgrid/,
    ],
    [
      'an address to visit that is not Amazon\u2019s',
      'ses',
      snsConfirmation('https://evil.example/'),
      400,
      /SubscribeURL/,
    ],
  ])('refuses %s', async (_what, provider, body, status, message) => {
    const answer = await send(provider, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(message);
    expect(answer.body).not.toContain('people.example');
  });
});

describe('mails to everybody that come back by a code that blames nobody', () => {
  const outcomeOf = async ({ person, key }: Awaited<ReturnType<typeof noticed>>) =>
    (await assess(person.id, [key])).notices?.[0]?.outcome;

  it.each([
    '5.0.0',
    undefined,
  ])('%s: five in a row are the server’s trouble, no notice, and nothing against an address', async (diagnosticCode) => {
    const comeBack = (messageId: string | undefined) =>
      bounce({ messageId, kind: 'hard', ...(diagnosticCode !== undefined && { diagnosticCode }) });
    // A mail that stays, so that earlier tests don’t count.
    await noticed();
    const crowd: Awaited<ReturnType<typeof noticed>>[] = [];
    for (let count = 0; count < 5; count += 1) crowd.push(await noticed());
    for (const { messageId } of crowd.slice(0, 4)) await comeBack(messageId);
    for (const one of crowd.slice(0, 4)) expect(await outcomeOf(one)).toBe('bounced');
    await comeBack(crowd[4]?.messageId);
    for (const one of crowd) expect(await outcomeOf(one)).toBe('relay-failed');

    const { person } = crowd[0] ?? (await noticed());
    const server = await smtpWith();
    for (let more = 1; more <= 3; more += 1) {
      const sent = await mailOver(server.url).sendMail({ ...requestFor(person), key: fresh('key') });
      expect(sent).toMatchObject({ outcome: 'accepted', addresses: 1 });
      await comeBack((await listMails(pool, person.id)).find(({ state }) => state === 'accepted')?.messageId);
    }
    await noticed();
    const mended = await noticed();
    await comeBack(mended.messageId);
    expect(await outcomeOf(mended)).toBe('bounced');
  });
});

describe('the command line', () => {
  const dormouse = (args: string[], input = '') => typed(inject('environment'), args, input);

  it('takes a report from a pipe, and shows proof and bounce without an address', async () => {
    const { person, messageId } = await noticed();
    expect(await dormouse(['mail', 'bounce'], report(messageId))).toMatchObject({ exitCode: 0, stdout: '' });
    const { stdout } = await operator.typed(['mails', person.id]);
    expect(stdout).toMatch(/notice-delete {2,}bounced .*250.* by 127\.0\.0\.1 .*hard bounce 5\.1\.1 at /);
    expect(stdout).not.toContain('example.com');
  });

  it('accepts input that is no report, and asks the mail server to try again when PostgreSQL is away', async () => {
    expect(await dormouse(['mail', 'bounce'], 'hello')).toMatchObject({ exitCode: 0 });
    const environment = {
      ...inject('environment'),
      DORMOUSE_POSTGRES_URL: 'postgres://x:hidden@127.0.0.1:1/none',
    };
    const away = await typed(environment, ['mail', 'bounce'], report(`<${'0'.repeat(40)}@dormouse.test>`));
    expect(away.exitCode).toBe(75);
    expect(away.stderr).not.toContain('hidden');
  });
});

describe('the last look', () => {
  const look = (identityId: string, notices: string[]) => ({
    identityId,
    inactiveSince: Date.now() + dayMs,
    keepsAlive: ['human'] as const,
    notices,
  });

  it('finds a bounce that nobody was told of: neither deleted nor deactivated', async () => {
    const { person, key, messageId } = await noticed();
    await bounce({ messageId, kind: 'hard' });
    expect(await fixture.deleteIdentity(look(person.id, [key]))).toEqual({ outcome: 'unannounced' });
    expect(await fixture.disableIdentity(look(person.id, [key]))).toEqual({ outcome: 'unannounced' });
    expect(await stateOf(people, person.id)).toBe('active');
  });

  it('wants every notice proven, and one whose row is gone is not; deactivation takes a lost answer', async () => {
    const { person, key } = await noticed();
    const lost = look(person.id, [key, 'lost with a backup']);
    expect(await fixture.deleteIdentity(lost)).toEqual({ outcome: 'unannounced' });
    expect(await fixture.disableIdentity({ ...lost, ambiguousCounts: true })).toEqual({ outcome: 'done' });
  });

  it('wants an address that is still there', async () => {
    const { person, key } = await noticed();
    for (const table of ['identity_recovery_addresses', 'identity_verifiable_addresses']) {
      await kratosDatabase.query(`DELETE FROM ${table} WHERE identity_id = $1`, [person.id]);
    }
    expect(await fixture.deleteIdentity(look(person.id, [key]))).toEqual({ outcome: 'unannounced' });
    expect(await assess(person.id, [key])).toMatchObject({ notices: [{ key, outcome: 'no-address' }] });
  });

  it('deletes where all is proven', async () => {
    const { person, key } = await noticed();
    expect(await fixture.deleteIdentity(look(person.id, [key]))).toEqual({ outcome: 'done' });
  });

  it('does not act on what a halted process saw before', async () => {
    const { person, key } = await noticed();
    // The clock is asked at the start of the look, by the evidence, and just before the act.
    const halted = () => {
      let asked = 0;
      const startedAt = Date.now();
      const clock = { now: () => Promise.resolve(startedAt + 20_000 * asked++) };
      const deps = { ...fixture, identities: fixture.ory.identities, clock };
      return { ...createKratosActivities(deps), ...createKratosDeletionActivities(deps) };
    };
    for (const verb of ['deleteIdentity', 'disableIdentity'] as const) {
      expect(await rejection(halted()[verb](look(person.id, [key])))).toMatchObject({ type: 'StaleLook' });
    }
    const revocation = { identityId: person.id, look: look(person.id, [key]) };
    expect(await rejection(halted().endSessions(revocation))).toMatchObject({ type: 'StaleLook' });
    expect(await stateOf(people, person.id)).toBe('active');
  });
});

describe('addresses that a notice went to', () => {
  const notified = createNotifiedAddresses(pool);
  const rowsOf = async (identityId: string) => {
    const found = await pool.query('SELECT * FROM notified_address WHERE identity_id = $1', [identityId]);
    return found.rows;
  };

  it('are sealed: no column holds one, and another identity’s key does not open it', async () => {
    const { person } = await noticed();
    const rows = await rowsOf(person.id);
    expect(rows).toHaveLength(1);
    const plain = Buffer.concat(
      rows.map(({ sealed, address_hash }) => Buffer.concat([sealed, address_hash])),
    );
    expect(plain.includes('example.com')).toBe(false);
    const other = unknownId();
    await notified.remember(other, 'k', ['a@example.com'], Date.now());
    await pool.query('UPDATE notified_address SET sealed = $2 WHERE identity_id = $1', [
      other,
      rows[0]?.sealed,
    ]);
    await expect(notified.compare(other, ['k'], { told: [], known: [] })).rejects.toThrow();
  });

  it('the same address has another hash for everybody', async () => {
    const [one, two] = [unknownId(), unknownId()];
    for (const id of [one, two]) await notified.remember(id, 'k', ['a@example.com'], Date.now());
    const hashes = [...(await rowsOf(one)), ...(await rowsOf(two))].map(({ address_hash }) => address_hash);
    expect(hashes[0]).not.toEqual(hashes[1]);
  });

  it('are compared: new ones, former ones once, and those that are there still', async () => {
    const id = unknownId();
    await notified.remember(id, 'k', ['old@example.com', 'kept@example.com'], Date.now());
    const now = {
      told: ['kept@example.com', 'new@example.com'],
      known: ['kept@example.com', 'new@example.com'],
    };
    const { added, former } = await notified.compare(id, ['k'], now);
    expect(added).toEqual(['new@example.com']);
    expect(former).toMatchObject([{ value: 'old@example.com' }]);
    await notified.markTold(id, former[0]?.id ?? '', Date.now());
    expect((await notified.compare(id, ['k'], now)).former).toEqual([]);
  });

  it('are forgotten with the burial, their key destroyed, and when no notice runs', async () => {
    for (const forget of [
      (id: string) => fixture.ledger.bury({ identityId: id, deletedAt: Date.now() }),
      (id: string) => recordWithout(id),
    ]) {
      const { person } = await noticed();
      await forget(person.id);
      expect(await rowsOf(person.id)).toEqual([]);
      const keys = await pool.query('SELECT 1 FROM address_key WHERE identity_id = $1', [person.id]);
      expect(keys.rows).toEqual([]);
    }
  });

  async function recordWithout(identityId: string): Promise<void> {
    const standing = unreached(identityId);
    await fixture.ledger.record({ standing, revision: Date.now(), audit: [], notices: [] });
  }
});

function unreached(identityId: string): Standing {
  return {
    schemaVersion: 1,
    identityId,
    stage: 'deactivated',
    since: 0,
    lastActiveAt: 0,
    activity: {},
    why: 'test',
    next: { step: 'notice', rung: 'delete', at: 1 },
    blocked: { by: 'no-notice', why: 'test' },
    notices: [{ rung: 'delete', leadMs: 1, outcome: 'bounced', at: 0, inactiveSince: 0 }],
    completed: {},
    warnings: [],
    offBottom: true,
    signalWindowMs: 0,
  };
}
