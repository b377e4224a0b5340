/**
 * The whole ladder of policies/default.yaml, 730 days, in skipped time on the real stack: one story a line of the
 * table. A story names what somebody did on which day, and what the audit log, the mailbox, Kratos and Hydra say.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Tokens } from '../../dev/demo/authorization-code-flow.js';
import { kindsFor } from '../../dev/demo/mailbox.js';
import type { Person, PersonOptions, SignIn } from '../../dev/demo/ory-people.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { given } from '../../src/domain/given.js';
import { readStanding } from '../../src/standings/standings-table.js';
import {
  applyPolicyUpdate,
  holdUpdate,
  reactivateUpdate,
  releaseUpdate,
  retryParkedUpdate,
  standingQuery,
  userActivitySignal,
} from '../../src/workflows/messages.js';
import { type Fault, type SmtpFixture, startSmtp } from '../mail/smtp-fixture.js';
import { latenessMs, lines } from '../support/harness/audit-lines.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { recordSigns } from '../support/record-signs.js';
import { until } from '../support/until.js';
import { publishPolicyFile } from '../support/workers.js';

let journey: Journey;
let taskQueue: string;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers();
  await publishPolicyFile(journey.pool, 'policies/default.yaml');
  await journey.publish(patient);
  await journey.publish(strict);
});
afterEach(() => journey.forgetLifecycles());
afterAll(() => journey.end());

/** The same ladder, later. */
const patient = `
id: patient
ladder:
  warn: { after: 300d }
  suspend: { after: 360d, noticeFloor: 7d }
  revoke: { after: 390d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }
recheck: 7d
retry: { attempts: 5, firstAfter: 10s, longestAfter: 1h }
`;
/** The same ladder, earlier. */
const strict = `
id: strict
ladder:
  warn: { after: 10d }
  suspend: { after: 20d, noticeFloor: 7d }
  revoke: { after: 35d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }
recheck: 7d
retry: { attempts: 5, firstAfter: 10s, longestAfter: 1h }
`;

interface Cast {
  readonly person: Person;
  readonly handle: LifecycleHandle;
  readonly startedAt: number;
  readonly signIn: SignIn;
  readonly tokens: Tokens;
}

/** What somebody does on one day. */
type Act = (cast: Cast) => Promise<unknown>;

const operator = { schemaVersion: 1, actor: 'op-1' } as const;

/** A request in a session that is still valid, as an app reports it. */
const isSeen: Act = async ({ handle }) =>
  handle.signal(userActivitySignal, {
    schemaVersion: 1,
    kind: 'human',
    source: 'app',
    at: await journey.now(),
  });
/** A fresh sign-in at Kratos, reported by a hook. */
const signsIn: Act = async (cast) => {
  const signIn = await journey.people.signIn(cast.person);
  expect(signIn, 'Kratos takes the sign-in').toBeDefined();
  await isSeen(cast);
};
const cannotSignIn: Act = async ({ person }) => expect(await journey.people.signIn(person)).toBeUndefined();
/** A fresh sign-in that nobody reported: only Kratos' session shows it. */
const signsInUnreported: Act = async ({ person }) => {
  await journey.people.signIn(person);
  await journey.dateSessions(person.id, await journey.now());
};
const isSeenInPostgresOnly =
  (kind: 'human' | 'token' | 'machine'): Act =>
  async ({ person }) =>
    recordSigns(journey.pool, [{ identityId: person.id, at: await journey.now(), kind, source: 'app' }]);
/** A report that comes late: the person was seen on an earlier day. */
const wasSeenOnDay =
  (day: number): Act =>
  ({ handle, startedAt }) =>
    handle.signal(userActivitySignal, {
      schemaVersion: 1,
      kind: 'human',
      source: 'app',
      at: startedAt + day * dayMs,
    });
const reactivates: Act = ({ handle }) =>
  handle.executeUpdate(reactivateUpdate, { args: [{ ...operator, reason: 'came back' }] });
const holdsUntilDay =
  (day: number): Act =>
  ({ handle, startedAt }) =>
    handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, reason: 'parental leave', until: startedAt + day * dayMs }],
    });
const leavesUntilDay =
  (day: number): Act =>
  ({ handle, startedAt }) =>
    handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, kind: 'leave', reason: 'parental leave', until: startedAt + day * dayMs }],
    });
const releases: Act = ({ handle }) =>
  handle.executeUpdate(releaseUpdate, { args: [{ ...operator, reason: 'back early' }] });
const applies =
  (policyId: string): Act =>
  ({ handle }) =>
    handle.executeUpdate(applyPolicyUpdate, { args: [{ ...operator, policyId }] });
const setState =
  (value: 'active' | 'inactive'): Act =>
  ({ person }) =>
    journey.people.identities.patchIdentity({
      id: person.id,
      jsonPatch: [{ op: 'replace', path: '/state', value }],
    });
const isOptedOut: Act = ({ person }) =>
  journey.people.identities.patchIdentity({
    id: person.id,
    jsonPatch: [{ op: 'add', path: '/metadata_admin', value: { skip_stale_revocation: true } }],
  });
const isDeletedElsewhere: Act = ({ person }) => journey.people.identities.deleteIdentity({ id: person.id });
const all =
  (...acts: Act[]): Act =>
  async (cast) => {
    for (const act of acts) await act(cast);
  };

interface Story {
  readonly person?: PersonOptions;
  /** When the person was last seen, days before the start; `never`: the clock starts at the creation of that day. */
  readonly lastSeen?: number | { readonly neverSinceCreation: number };
  readonly acts?: Readonly<Record<number, Act>>;
  readonly untilDay: number;
  /** `<whole days of inactivity> <event>` */
  readonly audit: readonly string[];
  readonly mails: readonly string[];
  readonly stage: string;
  readonly blocked?: string;
  readonly kratos: 'active' | 'inactive' | 'deleted';
  /** The session and the tokens that the person had at the start. */
  readonly credentials: 'alive' | 'ended';
}

const started = '0 lifecycle_started';
const toWarned = [started, '30 inactivity_warned'];
const toSuspended = [...toWarned, '60 actions_suspended'];
const toRevoked = [...toSuspended, '83 notice_sent', '90 tokens_revoked_stale'];
const toDeactivated = [...toRevoked, '180 winback_sent', '358 notice_sent', '365 account_deactivated'];
const toDeleted = [
  ...toDeactivated,
  '700 notice_sent',
  '723 notice_sent',
  '729 notice_sent',
  '730 account_deleted',
];
const mailsToRevoked = ['warn', 'notice-revoke', 'revoked'];
const mailsToDeactivated = [...mailsToRevoked, 'winback', 'notice-deactivate', 'deactivated'];
const mailsToDeleted = [...mailsToDeactivated, 'notice-delete', 'notice-delete', 'notice-delete'];

const active = { kratos: 'active', credentials: 'alive', stage: 'active' } as const;
const unmoved = { ...active, audit: [started], mails: [] } as const;
const metadata = (metadataAdmin: object): { person: PersonOptions } => ({ person: { metadataAdmin } });

// biome-ignore format: a table
const stories: Record<string, Story> = {
  'absent until deleted': { untilDay: 731, audit: toDeleted, mails: mailsToDeleted, stage: 'deleted', kratos: 'deleted', credentials: 'ended' },
  'seen every 29 days': { acts: { 29: isSeen, 58: isSeen, 87: isSeen, 116: isSeen }, untilDay: 140, ...unmoved },
  'seen on the last day before the warning, in PostgreSQL only': { acts: { 29: isSeenInPostgresOnly('human') }, untilDay: 58, ...unmoved },
  'kept alive by a token': { acts: { 29: isSeenInPostgresOnly('token') }, untilDay: 58, ...unmoved },
  'not kept alive by a machine': { acts: { 29: isSeenInPostgresOnly('machine') }, untilDay: 31, audit: toWarned, mails: ['warn'], ...active, stage: 'warned' },
  'returns after the warning': { acts: { 31: isSeen }, untilDay: 40, audit: [...toWarned, '0 returned'], mails: ['warn'], ...active },
  'returns after the suspension by a sign-in': { acts: { 61: signsIn }, untilDay: 70, audit: [...toSuspended, '0 returned'], mails: ['warn'], ...active },
  'returns after the notice of revocation': { acts: { 84: isSeen }, untilDay: 95, audit: [...toSuspended, '83 notice_sent', '0 returned'], mails: ['warn', 'notice-revoke'], ...active },
  'returns after the revocation by a sign-in, with no admin': { acts: { 91: signsIn }, untilDay: 100, audit: [...toRevoked, '0 returned'], mails: mailsToRevoked, ...active, credentials: 'ended' },
  'warned again after a return': { acts: { 31: isSeen }, untilDay: 62, audit: [...toWarned, '0 returned', '30 inactivity_warned'], mails: ['warn', 'warn'], ...active, stage: 'warned' },
  'noticed again in a second absence': { acts: { 84: isSeen }, untilDay: 175, audit: [...toSuspended, '83 notice_sent', '0 returned', '30 inactivity_warned', '60 actions_suspended', '83 notice_sent', '90 tokens_revoked_stale'], mails: ['warn', 'notice-revoke', ...mailsToRevoked], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'a sign-in that nobody reported is found by the second look': { acts: { 50: signsInUnreported }, untilDay: 61, audit: [...toWarned, '10 returned'], mails: ['warn'], ...active },
  'reactivated by an operator': { acts: { 366: all(cannotSignIn, reactivates, signsIn) }, untilDay: 370, audit: [...toDeactivated, '0 account_reactivated by op-1'], mails: [...mailsToDeactivated, 'reactivated'], ...active, credentials: 'ended' },
  'late evidence after the deactivation undoes it': { acts: { 366: wasSeenOnDay(300) }, untilDay: 375, audit: [...toDeactivated, '66 returned', '66 inactivity_warned', '73 actions_suspended'], mails: [...mailsToDeactivated, 'reactivated', 'warn'], kratos: 'active', credentials: 'ended', stage: 'suspended' },
  'ancient evidence changes nothing': { acts: { 91: wasSeenOnDay(-4000) }, untilDay: 95, audit: toRevoked, mails: mailsToRevoked, kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'enabled in Kratos by an admin, and signs in': { acts: { 370: all(setState('active'), signsIn) }, untilDay: 375, audit: [...toDeactivated, '0 reactivated_externally'], mails: [...mailsToDeactivated, 'reactivated'], ...active, credentials: 'ended' },
  'enabled in Kratos by an admin, noticed within the policy’s recheck': { acts: { 370: setState('active') }, untilDay: 380, audit: [...toDeactivated, '0 reactivated_externally'], mails: [...mailsToDeactivated, 'reactivated'], ...active, credentials: 'ended' },
  'admin, by metadata': { ...metadata({ role: 'admin' }), untilDay: 8, audit: [started, '5 notice_sent', '7 tokens_revoked_stale'], mails: ['notice-revoke', 'revoked'], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'admin, by trait': { person: { traits: { role: 'admin' } }, untilDay: 8, audit: [started, '5 notice_sent', '7 tokens_revoked_stale'], mails: ['notice-revoke', 'revoked'], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'service by trait does not exempt': { person: { traits: { role: 'service' } }, untilDay: 31, audit: toWarned, mails: ['warn'], ...active, stage: 'warned' },
  'service account': { ...metadata({ account_type: 'service' }), untilDay: 731, ...unmoved, blocked: 'exempt' },
  'trusted integration': { ...metadata({ account_type: 'trusted_integration' }), untilDay: 100, ...unmoved, blocked: 'exempt' },
  'role service': { ...metadata({ role: 'service' }), untilDay: 100, ...unmoved, blocked: 'exempt' },
  'opted out': { ...metadata({ skip_stale_revocation: true }), untilDay: 100, ...unmoved, blocked: 'exempt' },
  'opted out while suspended': { acts: { 65: isOptedOut }, untilDay: 100, audit: [...toSuspended, '83 returned'], mails: ['warn'], ...active, blocked: 'exempt' },
  'on hold, and after its end every floor anew': { acts: { 20: holdsUntilDay(100) }, untilDay: 115, audit: [started, '20 hold_set by op-1', '100 inactivity_warned', '107 actions_suspended', '107 notice_sent', '114 tokens_revoked_stale'], mails: mailsToRevoked, kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'on hold between notice and revocation': { acts: { 85: holdsUntilDay(200) }, untilDay: 208, audit: [...toSuspended, '83 notice_sent', '85 hold_set by op-1', '200 notice_sent', '207 tokens_revoked_stale', '207 winback_sent'], mails: ['warn', 'notice-revoke', 'notice-revoke', 'revoked', 'winback'], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'on hold, released early': { acts: { 85: holdsUntilDay(400), 95: releases }, untilDay: 103, audit: [...toSuspended, '83 notice_sent', '85 hold_set by op-1', '95 hold_released by op-1', '95 notice_sent', '102 tokens_revoked_stale'], mails: ['warn', 'notice-revoke', 'notice-revoke', 'revoked'], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'on leave while warned: the warning counts anew': { acts: { 35: leavesUntilDay(100) }, untilDay: 108, audit: [...toWarned, '35 hold_set by op-1', '100 inactivity_warned', '107 actions_suspended', '107 notice_sent'], mails: ['warn', 'warn', 'notice-revoke'], ...active, stage: 'suspended' },
  'still on hold': { acts: { 20: holdsUntilDay(700) }, untilDay: 699, audit: [started, '20 hold_set by op-1'], mails: [], ...active, blocked: 'hold' },
  'no mail address': { person: { hasAddress: false }, untilDay: 731, audit: [...toSuspended, '83 notice_failed', '90 tokens_revoked_stale', '180 winback_sent', '358 notice_failed'], mails: [], kratos: 'active', credentials: 'ended', stage: 'revoked', blocked: 'no-notice' },
  'never signed in: the clock starts at the creation': { lastSeen: { neverSinceCreation: 0 }, untilDay: 61, audit: toSuspended, mails: ['warn'], ...active, stage: 'suspended' },
  'ten years overdue at enrolment: every notice first': { lastSeen: { neverSinceCreation: 3650 }, untilDay: 60, audit: ['3650 lifecycle_started', '3650 inactivity_warned', '3657 actions_suspended', '3657 notice_sent', '3664 tokens_revoked_stale', '3664 winback_sent', '3664 notice_sent', '3671 account_deactivated', '3671 notice_sent', '3694 notice_sent', '3700 notice_sent', '3701 account_deleted'], mails: ['warn', 'notice-revoke', 'revoked', 'winback', 'notice-deactivate', 'deactivated', 'notice-delete', 'notice-delete', 'notice-delete'], kratos: 'deleted', credentials: 'ended', stage: 'deleted' },
  'disabled by hand: left alone, not even mailed': { acts: { 20: setState('inactive') }, untilDay: 731, ...unmoved, kratos: 'inactive', credentials: 'ended', blocked: 'disabled-by-admin' },
  'disabled by hand, and enabled again': { acts: { 20: setState('inactive'), 50: all(setState('active'), signsIn) }, untilDay: 81, audit: [started, '30 inactivity_warned'], mails: ['warn'], ...active, stage: 'warned' },
  'policy lengthened: a suspended person is restored': { acts: { 65: applies('patient') }, untilDay: 100, audit: [...toSuspended, '65 policy_applied by op-1', '65 returned'], mails: ['warn'], ...active },
  'policy tightened: the day that was named and the floor are kept': { acts: { 32: applies('strict') }, untilDay: 69, audit: [...toWarned, '32 policy_applied by op-1', '60 actions_suspended', '60 notice_sent', '67 tokens_revoked_stale'], mails: ['warn', 'notice-revoke'], kratos: 'active', credentials: 'ended', stage: 'revoked' },
  'deleted elsewhere in mid-ladder': { acts: { 40: isDeletedElsewhere }, untilDay: 92, audit: [...toWarned, '60 identity_missing', '91 identity_gone'], mails: ['warn'], kratos: 'deleted', credentials: 'ended', stage: 'warned' },
};

/** The jitter of the policy, and what the work itself takes in real time. */
const mostLateMs = 3_600_000 + 600_000;

describe('the default ladder', () => {
  for (const [name, story] of Object.entries(stories)) test(name, () => play(name, story));
});

test('an identity that Kratos does not know: the workflow ends', async () => {
  const identityId = randomUUID();
  const handle = await journey.enrol(identityId, taskQueue);
  expect(await handle.result()).toEqual({ schemaVersion: 1, outcome: 'gone' });
  expect(await journey.audit(identityId)).toEqual([]);
  expect(await isBuried(journey.pool, identityId)).toBe(false);
});

test('results: deleted by the engine, and deleted elsewhere', async () => {
  const absent = await begin('absent', { lastSeen: 0 });
  expect(await absent.handle.result()).toEqual({ schemaVersion: 1, outcome: 'deleted' });
  const elsewhere = await begin('elsewhere', { lastSeen: 0 });
  await journey.travelTo(elsewhere.startedAt + 5 * dayMs);
  await isDeletedElsewhere(elsewhere);
  expect(await elsewhere.handle.result()).toEqual({ schemaVersion: 1, outcome: 'gone' });
});

describe('the mail server is down', () => {
  let isDown = true;
  let smtp: SmtpFixture;
  let queueWithoutMail: string;

  beforeAll(async () => {
    smtp = await startSmtp({ connect: () => (isDown ? { code: 421, text: 'try later' } : undefined) });
    queueWithoutMail = await journey.startWorkers({ DORMOUSE_SMTP_URL: smtp.url });
  });
  afterAll(() => smtp.close());
  beforeEach(() => {
    isDown = true;
    smtp.cut();
  });

  test('the step is parked when its attempts are spent, shown, and goes on when it is retried', async () => {
    const cast = await begin('parked', { lastSeen: 0 }, queueWithoutMail);
    const { handle, person, startedAt } = cast;
    await journey.travelTo(startedAt + 95 * dayMs);
    expect(lines(await journey.audit(person.id))).toEqual([started, '31 step_parked']);
    const parked = await handle.query(standingQuery);
    expect(parked).toMatchObject({
      stage: 'active',
      blocked: { by: 'parked', why: expect.stringContaining('DORMOUSE_SMTP_URL') },
      parked: { step: 'warn', errorType: 'MailServerUnavailable' },
    });
    expect(await readStanding(journey.pool, person.id)).toMatchObject({ parked: { step: 'warn' } });
    expect(smtp.messages).toEqual([]);

    isDown = false;
    await handle.executeUpdate(retryParkedUpdate, { args: [operator] });
    await journey.travelTo(startedAt + 110 * dayMs);
    expect(lines(await journey.audit(person.id)).slice(2)).toEqual([
      '95 parked_retried by op-1',
      '95 inactivity_warned',
      '102 actions_suspended',
      '102 notice_sent',
      '109 tokens_revoked_stale',
    ]);
    expect((await handle.query(standingQuery)).parked).toBeUndefined();
    expect(smtp.messages).toHaveLength(3);
  });

  test('parked twice where the retry fails too', async () => {
    const { handle, person, startedAt } = await begin('parked-twice', { lastSeen: 0 }, queueWithoutMail);
    await journey.travelTo(startedAt + 40 * dayMs);
    await handle.executeUpdate(retryParkedUpdate, { args: [operator] });
    await journey.travelTo(startedAt + 45 * dayMs);
    expect(lines(await journey.audit(person.id))).toEqual([
      started,
      '31 step_parked',
      '40 parked_retried by op-1',
      '41 step_parked',
    ]);
  });

  // That a sign of life interrupts a step between two attempts is shown in messages.test.ts on the real server: the
  // skipping one now and then stops skipping after an activity was cancelled between two attempts.
  test('a return ends the parked step', async () => {
    const cast = await begin('lifted', { lastSeen: 0 }, queueWithoutMail);
    await journey.travelTo(cast.startedAt + 33 * dayMs);
    await isSeen(cast);
    await until('the return', async () => (await cast.handle.query(standingQuery)).parked === undefined);
    await journey.travelTo(cast.startedAt + 40 * dayMs);
    expect(lines(await journey.audit(cast.person.id))).toEqual([started, '31 step_parked', '0 returned']);
  });
});

describe('a mail server that refuses everybody', () => {
  let refusal: Fault;
  let smtp: SmtpFixture;
  let queue: string;
  beforeAll(async () => {
    smtp = await startSmtp({ rcptTo: () => refusal });
    queue = await journey.startWorkers({ DORMOUSE_SMTP_URL: smtp.url });
  });
  afterAll(() => smtp.close());

  test.each([
    [550, '5.4.5 Daily user sending quota exceeded'],
    [554, '5.7.1 Relay access denied'],
    [550, '5.3.2 System not accepting messages'],
  ])('by %i %s: is no notice, not even of a revocation that may proceed without; all goes on when it is mended', async (code, text) => {
    refusal = { code, text };
    const { handle, person, startedAt } = await begin('refused', { lastSeen: 0 }, queue, 'strict');
    const types = async () => (await journey.audit(person.id)).map(({ eventType }) => eventType);
    await journey.travelTo(startedAt + 60 * dayMs);
    // Nobody is suspended either: the warning of it was never sent.
    expect(await types()).toEqual(['lifecycle_started', 'step_parked']);
    expect(await handle.query(standingQuery)).toMatchObject({
      stage: 'active',
      parked: { step: 'warn', errorType: 'MailServerUnavailable' },
    });
    refusal = undefined;
    await handle.executeUpdate(retryParkedUpdate, { args: [operator] });
    await until('the warning', async () => (await types()).includes('inactivity_warned'));
    refusal = { code, text };
    await journey.travelTo(startedAt + 120 * dayMs);
    // Suspended after its warning; the notice of the revocation is what waits now.
    const soFar = ['lifecycle_started', 'step_parked', 'parked_retried', 'inactivity_warned'];
    expect(await types()).toEqual([...soFar, 'actions_suspended', 'step_parked']);
    expect((await handle.query(standingQuery)).notices).toEqual([]);
    refusal = undefined;
    await handle.executeUpdate(retryParkedUpdate, { args: [operator] });
    await journey.travelTo(startedAt + 130 * dayMs);
    expect((await types()).slice(6)).toEqual(['parked_retried', 'notice_sent', 'tokens_revoked_stale']);
  });
});

async function play(name: string, story: Story): Promise<void> {
  const cast = await begin(name, story);
  const { person, handle, startedAt } = cast;
  for (const [day, act] of Object.entries(story.acts ?? {})) {
    await journey.travelTo(startedAt + Number(day) * dayMs);
    await act(cast);
  }
  await journey.travelTo(startedAt + story.untilDay * dayMs);

  const rows = await journey.audit(person.id);
  expect(lines(rows)).toEqual(story.audit);
  for (const row of rows) expect(latenessMs(row), row.eventType).toBeLessThan(mostLateMs);
  // Other systems hear from it whether the account is enabled again.
  for (const { detail } of rows.filter((row) => String(row.detail.undone).includes('deactivate'))) {
    expect(detail.enabled).toBe(true);
  }
  expect(kindsFor(await journey.mails(), person.email)).toEqual(story.mails);
  const standing = await handle.query(standingQuery);
  expect({ stage: standing.stage, blocked: standing.blocked?.by }).toEqual({
    stage: story.stage,
    blocked: story.blocked,
  });
  expect(await kratosStateOf(person)).toBe(story.kratos);
  expect(await isBuried(journey.pool, person.id)).toBe(story.kratos === 'deleted');
  await expectCredentials(cast, story);
}

async function begin(
  name: string,
  story: Pick<Story, 'person' | 'lastSeen'>,
  queue = taskQueue,
  policyId?: string,
): Promise<Cast> {
  const { people } = journey;
  const person = await people.create(
    name
      .replace(/[^a-z]+/gi, '-')
      .slice(0, 24)
      .toLowerCase(),
    story.person,
  );
  const signIn = await people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the first sign-in');
  const tokens = await people.authorize(person);
  const startedAt = await journey.now();
  const { lastSeen = 0 } = story;
  const seen = typeof lastSeen === 'number' ? { human: startedAt - lastSeen * dayMs } : undefined;
  if (typeof lastSeen !== 'number') {
    const createdAt = startedAt - lastSeen.neverSinceCreation * dayMs;
    await journey.dateIdentity(person.id, createdAt);
    await journey.dateSessions(person.id, createdAt);
  }
  const handle = await journey.enrol(person.id, queue, {
    ...given({ policyId }),
    ...(seen !== undefined && { activity: seen }),
  });
  return { person, handle, startedAt, signIn, tokens };
}

async function kratosStateOf(person: Person): Promise<string> {
  const answer = await journey.people.identities.getIdentity(
    { id: person.id },
    { validateStatus: () => true },
  );
  return answer.status === 404 ? 'deleted' : String(answer.data.state);
}

async function expectCredentials({ signIn, tokens }: Cast, story: Story): Promise<void> {
  const isAlive = story.credentials === 'alive';
  expect(await journey.people.isSignedIn(signIn), 'session').toBe(isAlive);
  // If others than the engine disable or delete in Kratos, Hydra does not hear of it.
  if (story.blocked === 'disabled-by-admin' || story.audit.at(-1)?.endsWith('identity_gone')) return;
  expect(await journey.people.isTokenActive(tokens.accessToken), 'access token').toBe(isAlive);
  expect(await journey.people.isTokenActive(tokens.refreshToken), 'refresh token').toBe(isAlive);
}
