/**
 * What people do by the links in their mails, the whole way: real mails, the real gateway, the real workflow in skipped
 * time, Kratos and Hydra. The ladder is that of policies/default.yaml, with its jitter taken out.
 */
import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Tokens } from '../../dev/demo/authorization-code-flow.js';
import { type CaughtMail, kindsFor } from '../../dev/demo/mailbox.js';
import type { Person, PersonOptions, SignIn } from '../../dev/demo/ory-people.js';
import { linkIn } from '../../dev/demo/people-links.js';
import type { EngineDormouse } from '../../src/client/engine.js';
import { dayMs } from '../../src/domain/duration.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { admitToken } from '../../src/tokens/admission-rules.js';
import { readNotBefore } from '../../src/tokens/revocations-table.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { reactivateUpdate, standingQuery } from '../../src/workflows/messages.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { decodedPayloads, toPlain } from '../support/histories.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

const stack = inject('stack');
const workerLog = quietLog();
const gatewayLog: string[] = [];
let journey: Journey;
let taskQueue: string;
let gateway: TestGateway;
/** Requests for a link that the workflow took or refused. The page answers before. */
let settledRequests = 0;
/** Every token that a mail of this file carried. */
const tokens = new Set<string>();

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers();
  const text = (await readFile('policies/default.yaml', 'utf8')).replace('jitter: 1h', 'jitter: none');
  await journey.publish(text.replace('id: default', 'id: links'));
  gateway = await listenGateway({
    stack,
    temporalAddress: journey.temporal.address,
    clock: { now: () => journey.now() },
    log: pino({ level: 'trace' }, { write: (line: string) => gatewayLog.push(line) }),
    wrap: countingRequests,
    more: { rateLimits: { pagesPerMinute: 10_000, linkRequestsPerMinute: 10_000 } },
  });
});
afterEach(() => journey.forgetLifecycles());
afterAll(async () => {
  await gateway.close();
  await journey.end();
});

interface Cast {
  readonly person: Person;
  readonly handle: LifecycleHandle;
  readonly startedAt: number;
  readonly signIn: SignIn;
  readonly tokens: Tokens;
}

async function begin(options: PersonOptions = {}, queue = taskQueue): Promise<Cast> {
  const person = await journey.people.create('links', options);
  const signIn = await journey.people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the first sign-in');
  const tokens = await journey.people.authorize(person);
  const startedAt = await journey.now();
  const handle = await journey.enrol(person.id, queue, { policyId: 'links', activity: { human: startedAt } });
  return { person, handle, startedAt, signIn, tokens };
}

const toDay = (cast: Cast, day: number) => journey.travelTo(cast.startedAt + day * dayMs);
const mailsOf = async ({ person }: Cast): Promise<CaughtMail[]> =>
  (await journey.mails()).filter(({ to }) => person.email !== undefined && to.includes(person.email));
const kindsOf = async (cast: Cast) => kindsFor(await journey.mails(), cast.person.email);
const audit = async ({ person }: Cast) => lines(await journey.audit(person.id));

/** The latest link of this kind in the person's mails, at the test's own gateway. */
async function latestLink(cast: Cast, path: string): Promise<URL> {
  const urls = (await mailsOf(cast)).flatMap((mail) => linkIn(mail, path) ?? []);
  const latest = urls.at(-1);
  if (latest === undefined) throw new Error(`no mail with a link to ${path}`);
  tokens.add(latest.pathname.split('/').at(-1) ?? '');
  return new URL(latest.pathname, gateway.url);
}

async function press(url: URL): Promise<{ status: number; html: string }> {
  const answer = await fetch(url, { method: 'POST' });
  return { status: answer.status, html: await answer.text() };
}

function countingRequests(dormouse: EngineDormouse): EngineDormouse {
  return new Proxy(dormouse, {
    get: (target, name: keyof EngineDormouse) => {
      if (name !== 'requestReactivationLink') {
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (identityId: string) =>
        target.requestReactivationLink(identityId).finally(() => {
          settledRequests += 1;
        });
    },
  });
}

/** Asks for a link, and waits until the workflow has decided: what is asked now must not be decided after a journey. */
async function askForLink(identifier: string): Promise<void> {
  const before = settledRequests;
  const body = new URLSearchParams({ identifier });
  const answer = await fetch(new URL('/account/reactivate', gateway.url), { method: 'POST', body });
  expect(answer.status).toBe(200);
  await until('the decision about the link', () => settledRequests > before);
}

/** Asks for a link, and waits for its mail. */
async function linkOf(cast: Cast, identifier = cast.person.identifier): Promise<URL> {
  const before = (await kindsOf(cast)).filter((kind) => kind === 'reactivation').length;
  await askForLink(identifier);
  await until('the mail with the link', async () => {
    return (await kindsOf(cast)).filter((kind) => kind === 'reactivation').length > before;
  });
  return latestLink(cast, '/account/reactivate/');
}

const stageOf = async ({ handle }: Cast) => (await handle.query(standingQuery)).stage;
const dayOf = (cast: Cast, at: number | undefined) => Math.floor(((at ?? 0) - cast.startedAt) / dayMs);

async function expectOldCredentialsDead({ signIn, tokens: old }: Cast): Promise<void> {
  expect(await journey.people.isSignedIn(signIn), 'session').toBe(false);
  expect(await journey.people.isTokenActive(old.accessToken), 'access token').toBe(false);
  expect(await journey.people.isTokenActive(old.refreshToken), 'refresh token').toBe(false);
}

describe('a person comes back after a year', () => {
  test('by a link from the mail, and no credential from before lives again', async () => {
    const cast = await begin();
    const { person, startedAt } = cast;
    await toDay(cast, 400);
    expect(await stageOf(cast)).toBe('deactivated');
    expect(await journey.people.signIn(person)).toBeUndefined();
    const mails = await mailsOf(cast);
    const requestPage = linkIn(mails.at(-1) ?? { text: '' }, '/account/reactivate');
    expect(requestPage?.pathname, 'the mail leads to the page').toBe('/account/reactivate');

    const link = await linkOf(cast);
    // A scanner opens every link of every mail.
    for (const mail of await mailsOf(cast)) {
      for (const path of ['/account/keep/', '/account/reactivate']) {
        const found = linkIn(mail, path);
        if (found !== undefined) await fetch(new URL(found.pathname, gateway.url));
      }
    }
    expect(await stageOf(cast)).toBe('deactivated');
    const deactivatedNotBefore = await readNotBefore(journey.pool, person.id);

    const answer = await press(link);
    expect(answer).toMatchObject({ status: 200, html: expect.stringContaining('active again') });
    expect(await stageOf(cast)).toBe('active');
    expect((await press(link)).status).toBe(404);

    await expectOldCredentialsDead(cast);
    // A personal access token of the app's own stays void by `revokedBefore`.
    const notBefore = await readNotBefore(journey.pool, person.id);
    expect(notBefore).toBe(deactivatedNotBefore);
    expect(notBefore).toBeGreaterThan(startedAt);
    const standing = await readTokenStanding(journey.pool, person.id);
    const fromBefore = { grant: 'other', authenticatedAt: startedAt } as const;
    expect(admitToken(standing, fromBefore)).toEqual({ allowed: false, why: 'revoked' });

    const fresh = await journey.people.signIn(person);
    expect(fresh !== undefined && (await journey.people.isSignedIn(fresh))).toBe(true);
    expect((await audit(cast)).slice(-3)).toEqual([
      '365 account_deactivated',
      '400 reactivation_requested by self-service',
      '0 account_reactivated by self-service',
    ]);
    expect((await kindsOf(cast)).slice(-3)).toEqual(['deactivated', 'reactivation', 'reactivated']);
    await journey.travelTo((await journey.now()) + 29 * dayMs);
    expect(await stageOf(cast)).toBe('active');
  });

  test('sessions that Kratos still has are ended before the identity is enabled', async () => {
    const cast = await begin();
    const { person } = cast;
    await toDay(cast, 370);
    // As Kratos would take it up again: a session of the time before, there while the identity is disabled.
    const other = await journey.people.create('other');
    await journey.people.signIn(other);
    await journey.kratosPool.query(
      `INSERT INTO sessions SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
         'identity_id', $1::uuid, 'token', gen_random_uuid()::text, 'logout_token', gen_random_uuid()::text))).*
       FROM sessions AS s WHERE identity_id = $2`,
      [person.id, other.id],
    );
    await journey.dateSessions(person.id, cast.startedAt - dayMs);
    const sessions = async () =>
      (await journey.kratosPool.query('SELECT 1 FROM sessions WHERE identity_id = $1', [person.id])).rowCount;
    expect(await sessions()).toBe(1);
    const late = await journey.people.authorize(person);
    expect((await press(await linkOf(cast))).status).toBe(200);
    expect(await sessions()).toBe(0);
    expect(await journey.people.isTokenActive(late.refreshToken)).toBe(false);
    expect(await stageOf(cast)).toBe('active');
  });

  test('one mail in ten minutes for any number of requests; then one in twenty; each link is good for one return', async () => {
    const cast = await begin();
    await toDay(cast, 370);
    const first = await linkOf(cast);
    await askForLink(cast.person.identifier);
    await askForLink(cast.person.identifier);
    await journey.travelTo((await journey.now()) + 540_000);
    await askForLink(cast.person.identifier);
    await journey.travelTo((await journey.now()) + 120_000);
    const second = await linkOf(cast);
    await journey.travelTo((await journey.now()) + 660_000);
    await askForLink(cast.person.identifier);
    expect((await kindsOf(cast)).filter((kind) => kind === 'reactivation')).toHaveLength(2);
    await journey.travelTo((await journey.now()) + 660_000);
    const third = await linkOf(cast);
    expect(third.pathname).not.toBe(second.pathname);
    expect(second.pathname).not.toBe(first.pathname);
    expect((await press(first)).status, 'the older one still holds').toBe(200);
    expect((await press(second)).status, 'and they were for one return').toBe(404);
  });

  test('the link is short-lived, and bound to the deactivation that it was made for', async () => {
    const cast = await begin();
    await toDay(cast, 370);
    const expired = await linkOf(cast);
    await journey.travelTo((await journey.now()) + dayMs);
    expect((await press(expired)).status).toBe(404);

    const link = await linkOf(cast);
    const back = { schemaVersion: 1, actor: 'op-1', reason: 'asked the help desk' } as const;
    await cast.handle.executeUpdate(reactivateUpdate, { args: [back] });
    expect((await press(link)).status, 'the person is back already').toBe(404);
    const linkFor = (await journey.audit(cast.person.id)).find(
      ({ eventType }) => eventType === 'account_deactivated',
    );
    // The workflow holds the line by itself, whatever the gateway knows.
    await expect(
      cast.handle.executeUpdate(reactivateUpdate, {
        args: [{ ...back, actor: 'self-service', linkFor: linkFor?.occurredAt ?? 0 }],
      }),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('Ask for a new one') } });
    await expect(
      cast.handle.executeUpdate(reactivateUpdate, { args: [{ ...back, actor: 'self-service' }] }),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('Pass your own id') } });
  });

  test('not where nobody saw the engine disable the account: then an operator brings the person back', async () => {
    const cast = await begin();
    await toDay(cast, 366);
    expect(await stageOf(cast)).toBe('deactivated');
    const link = await linkOf(cast);
    // As after a crash between the call to Kratos and its answer: an admin may have disabled it in those minutes.
    await journey.pool.query('UPDATE disablement SET is_assumed = true WHERE identity_id = $1', [
      cast.person.id,
    ]);
    expect((await press(link)).status).toBe(404);
    expect(await stageOf(cast)).toBe('deactivated');
    await journey.travelTo((await journey.now()) + dayMs);
    await askForLink(cast.person.identifier);
    expect((await kindsOf(cast)).filter((kind) => kind === 'reactivation')).toHaveLength(1);
    expect((await cast.handle.query(standingQuery)).warnings).toContain('disablement-not-confirmed');
    const back = { schemaVersion: 1, actor: 'op-1', reason: 'asked the help desk' } as const;
    await cast.handle.executeUpdate(reactivateUpdate, { args: [back] });
    expect(await stageOf(cast)).toBe('active');
    expect((await cast.handle.query(standingQuery)).warnings).toEqual([]);
  });

  test('not if the policy excepts the role, nor if an admin disabled the account', async () => {
    const admin = await begin({ metadataAdmin: { role: 'admin' } });
    const byTrait = await begin({ traits: { role: 'admin' } });
    const person = await begin();
    await toDay(person, 370);
    expect(await stageOf(admin)).toBe('deactivated');
    expect(await stageOf(byTrait)).toBe('deactivated');
    for (const cast of [admin, byTrait]) {
      const [last] = (await mailsOf(cast)).slice(-1);
      expect(last?.text).not.toContain('/account/reactivate');
      await askForLink(cast.person.identifier);
    }
    const link = await linkOf(person);
    // An admin enables and disables by hand: that stands, whatever the link says.
    for (const value of ['active', 'inactive']) {
      await journey.people.identities.patchIdentity({
        id: person.person.id,
        jsonPatch: [{ op: 'replace', path: '/state', value }],
      });
    }
    expect((await press(link)).status).toBe(404);
    const { data } = await journey.people.identities.getIdentity({ id: person.person.id });
    expect(data.state).toBe('inactive');
    for (const cast of [admin, byTrait])
      expect((await kindsOf(cast)).filter((kind) => kind === 'reactivation')).toEqual([]);
    expect((await audit(person)).at(-1)).toBe('370 reactivation_requested by self-service');
  });

  test('Kratos is down when the button is pressed: the page says so, and the link stays valid', async () => {
    const kratos = await startFaultProxy(stack.kratos.adminUrl);
    try {
      const queue = await journey.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
      const cast = await begin({}, queue);
      await toDay(cast, 370);
      const link = await linkOf(cast);
      kratos.inject({ kind: 'answer', status: 503, body: '{"error":{}}' }, /^PATCH/);
      const pressed = press(link);
      await until('an attempt that failed', async () =>
        kratos.requests.some((request) => request.startsWith('PATCH') && request.includes(cast.person.id)),
      );
      expect(await stageOf(cast)).toBe('deactivated');
      kratos.heal();
      await pressed;
      await until('the return', async () => (await stageOf(cast)) === 'active');
      expect((await audit(cast)).filter((line) => line.includes('account_reactivated'))).toHaveLength(1);
      expect((await press(link)).status).toBe(404);
      // It still publishes the stage, through the proxy.
      await journey.forgetLifecycles();
    } finally {
      await kratos.close();
    }
  });
});

describe('"Keep my account"', () => {
  test('puts the deactivation off, with a new notice, twice and no more; nobody is signed in by it', async () => {
    const cast = await begin();
    const { person } = cast;
    await toDay(cast, 360);
    expect((await press(await latestLink(cast, '/account/keep/'))).status).toBe(200);
    await until('the workflow heard of it', async () =>
      (await audit(cast)).at(-1)?.includes('rung_postponed'),
    );
    await toDay(cast, 380);
    expect(await stageOf(cast)).toBe('revoked');
    expect(await journey.people.isSignedIn(cast.signIn)).toBe(false);

    await toDay(cast, 389);
    expect((await press(await latestLink(cast, '/account/keep/'))).status).toBe(200);
    await until('the workflow heard of it', async () =>
      (await audit(cast)).at(-1)?.includes('rung_postponed'),
    );
    await toDay(cast, 419);
    expect(await stageOf(cast)).toBe('revoked');
    const third = (await mailsOf(cast)).at(-1);
    expect(third?.kind).toBe('notice-deactivate');
    expect(linkIn(third ?? { text: '' }, '/account/keep/'), 'as often as the policy grants').toBeUndefined();
    await toDay(cast, 426);
    expect(await stageOf(cast)).toBe('deactivated');
    expect((await audit(cast)).slice(6)).toEqual([
      '358 notice_sent',
      '360 rung_postponed by self-service',
      '388 notice_sent',
      '389 rung_postponed by self-service',
      '418 notice_sent',
      '425 account_deactivated',
    ]);
    expect(await readStanding(journey.pool, person.id)).toMatchObject({ stage: 'deactivated' });
  });

  test('puts the deletion off: every notice comes anew, and the links of one round count once', async () => {
    const cast = await begin();
    await toDay(cast, 729.5);
    const [first, second, third] = (await mailsOf(cast))
      .filter(({ kind }) => kind === 'notice-delete')
      .map((mail) => linkIn(mail, '/account/keep/'));
    expect(third).toBeDefined();
    const at = (url: URL | undefined) => new URL(url?.pathname ?? '/', gateway.url);
    expect((await press(at(first))).status).toBe(200);
    expect((await press(at(second))).status).toBe(404);
    expect((await press(at(third))).status).toBe(404);
    await until('the workflow heard of it', async () =>
      (await audit(cast)).at(-1)?.includes('rung_postponed'),
    );
    const { next } = await cast.handle.query(standingQuery);
    expect({ ...next, at: dayOf(cast, next?.at) }).toEqual({ step: 'notice', rung: 'delete', at: 730 });
    await toDay(cast, 761);
    expect((await audit(cast)).slice(8)).toEqual([
      '700 notice_sent',
      '723 notice_sent',
      '729 notice_sent',
      '729 rung_postponed by self-service',
      '730 notice_sent',
      '753 notice_sent',
      '759 notice_sent',
      '760 account_deleted',
    ]);
    const left = await journey.pool.query(
      'SELECT 1 FROM link WHERE identity_id = $1 UNION ALL SELECT 1 FROM postponement WHERE identity_id = $1',
      [cast.person.id],
    );
    expect(left.rowCount).toBe(0);
  });
});

test('no token is in a history, a table, or a log line', async () => {
  const cast = await begin();
  await toDay(cast, 370);
  const link = await linkOf(cast);
  const history = async () => toPlain(await cast.handle.fetchHistory());
  const asked = await history();
  await press(link);
  await latestLink(cast, '/account/keep/');
  const histories = [asked, await history()];
  const payloads = histories.flatMap(decodedPayloads);
  expect(tokens.size).toBeGreaterThan(1);
  const tables = await journey.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  expect(tables.rows.length).toBeGreaterThan(10);
  const texts = [gatewayLog.join('\n'), JSON.stringify(workerLog)];
  for (const { name } of tables.rows) {
    const { rows } = await journey.pool.query(`SELECT to_jsonb(t) AS row FROM "${name}" AS t`);
    texts.push(JSON.stringify(rows));
  }
  texts.push(JSON.stringify(histories), payloads.join('\n'));
  expect(payloads.length).toBeGreaterThan(20);
  expect(payloads.some((payload) => payload.includes('"reactivate":{"deactivatedAt"'))).toBe(true);
  for (const token of tokens) {
    const hex = Buffer.from(token, 'base64url').toString('hex');
    const found = texts.filter((text) => text.includes(token) || text.includes(hex));
    expect(found).toEqual([]);
  }
  expect(gatewayLog.join('\n')).not.toContain(cast.person.identifier);
});
