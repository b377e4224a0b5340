/** The desk's pure rules: where a sign-in leads, cookies, tokens of forms, the timeline. */
import { describe, expect, it } from 'vitest';
import type { AuditRow } from '../../src/audit/log-table.js';
import { cookiesOf } from '../../src/desk/cookies.js';
import { formTokenOf, isOwnForm } from '../../src/desk/csrf.js';
import { doneText } from '../../src/desk/done.js';
import { returnPath } from '../../src/desk/return-path.js';
import { timelineOf } from '../../src/desk/timeline.js';
import { dayMs } from '../../src/domain/duration.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';

describe('the way back after a sign-in', () => {
  it.each([
    '/desk',
    '/desk/people?stage=active&day=2026-11-27',
    '/desk/work?after=parked:1b4e28ba-2fa1-11d2-883f-0016d3cca427',
    '/desk/preview?of=default@3',
  ])('is %s', (path) => expect(returnPath(path)).toBe(path));

  it.each([
    undefined,
    ['/desk/work'],
    'desk',
    '/',
    '/deskx',
    '//desk',
    '/desk//evil.example',
    '/desk\\evil',
    '/desk/../account',
    '/desk/./x',
    '/desk?x#y',
    '/desk\r\nset-cookie: x=y',
    'https://desk.example/desk',
    '/desk/sign-in',
    '/desk/signed-in?code=x',
    `/desk/${'a'.repeat(300)}`,
  ])('is the first page instead of %j', (path) => expect(returnPath(path)).toBe('/desk'));
});

describe('cookies', () => {
  const [secure, plain] = [cookiesOf(true), cookiesOf(false)];
  const underWay = { alias: 'a', state: 's', nonce: 'n', verifier: 'v', to: '/desk' };
  const sent = (line: string) => ({ cookie: line.split(';', 1)[0] ?? '' });

  it('by https belong to this host alone', () => {
    for (const line of [
      secure.setSession('x'),
      secure.setSignIn(underWay),
      secure.clearSession(),
      secure.clearSignIn(),
    ])
      expect(line).toMatch(/^__Host-.*; Path=\/; HttpOnly; SameSite=Lax; Secure/);
    expect(plain.setSession('x')).toBe('dormouse-desk=x; Path=/; HttpOnly; SameSite=Lax');
    expect(secure.session(sent(plain.setSession('x')))).toBeUndefined();
  });

  it('come back as they were set', () => {
    expect(plain.session({ cookie: 'a=b; dormouse-desk=secret; c=d' })).toBe('secret');
    expect(plain.signIn(sent(plain.setSignIn(underWay)))).toEqual(underWay);
  });

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/desk/../x',
  ])('lead nowhere but to the desk, also where somebody else set them: %s', (to) =>
    expect(plain.signIn(sent(plain.setSignIn({ ...underWay, to })))?.to).toBe('/desk'));

  it.each([
    'dormouse-desk=a; dormouse-desk=b',
    'dormouse-desk=',
    'x-dormouse-desk=a',
    `dormouse-desk=${'a'.repeat(5_000)}`,
  ])('%#: nothing is read where it is not sure which was ours', (cookie) =>
    expect(plain.session({ cookie })).toBeUndefined());

  it.each([
    '%',
    'e30',
    Buffer.from('[]').toString('base64url'),
  ])('that are no sign-in (%s) are none', (text) =>
    expect(plain.signIn({ cookie: `dormouse-desk-sign-in=${text}` })).toBeUndefined());
});

describe('a form', () => {
  const [origin, secret] = ['https://desk.example', 'secret-of-a-session'];
  const token = formTokenOf(secret);

  it('of an own page is taken', () => {
    expect(isOwnForm({ origin }, { token }, { origin, secret })).toBe(true);
    expect(isOwnForm({ 'sec-fetch-site': 'same-origin' }, { token }, { origin, secret })).toBe(true);
  });

  it.each([
    [{}, { token }, secret],
    [{ origin: 'null' }, { token }, secret],
    [{ origin: 'http://desk.example' }, { token }, secret],
    [{ origin, 'sec-fetch-site': 'same-origin' }, {}, secret],
    [{ origin }, { token: `${token}x` }, secret],
    [{ origin }, { token: [token] }, secret],
    [{ origin }, undefined, secret],
    [{ origin }, { token }, 'another secret'],
    [{ origin }, { token }, undefined],
    [{ 'sec-fetch-site': 'same-site' }, { token }, secret],
  ])('%# is refused', (headers, body, of) => {
    expect(isOwnForm(headers, body, { origin, secret: of })).toBe(false);
  });

  it('carries nothing of the secret', () => expect(token).not.toContain(secret.slice(0, 6)));
});

it.each(['<b>', 'constructor', ['held'], undefined])('?done=%j says nothing', (done) =>
  expect(doneText({ done })).toBe(''));

describe('the timeline', () => {
  const next = { step: 'rung', rung: 'suspend', at: 9 } as const;
  const revoke = { rung: 'revoke', outcome: 'accepted' } as const;
  const row = (more: Partial<AuditRow>): AuditRow => ({
    ...{ seq: 1, eventType: 'notice_sent', target: 'x', actor: 'engine', occurredAt: 5, outcome: 'accepted' },
    ...{ policyId: 'default', policyVersion: 3, stage: 'warned', daysInactive: 1, detail: {} },
    ...more,
  });
  const standing = {
    ...{ activity: { human: 3 }, completed: { warn: 2 }, next },
    notices: [{ ...revoke, leadMs: dayMs, at: 4, inactiveSince: 3 }],
  };

  it('is in order, the next step first', () => {
    const found = timelineOf(standing, [row({})]).map(({ at, what }) => [at, what]);
    expect(found).toEqual([
      [9, 'suspend'],
      [5, 'notice sent'],
      [3, 'last sign of life of a person'],
    ]);
  });

  it('tells notices and deeds from the standing where the log may not be read', () => {
    expect(timelineOf(standing, undefined).map(({ at }) => at)).toEqual([9, 4, 3, 2]);
  });

  it('says why the next step does not come, and later pages hold the log alone', () => {
    const blocked = { by: 'hold', why: 'on hold' } as const;
    expect(timelineOf({ ...standing, blocked }, [])[0]?.more).toBe('does not come: on hold');
    expect(timelineOf(standing, [row({})], false).map(({ at }) => at)).toEqual([5]);
  });

  it('reads times and durations of details as people do', () => {
    const detail = { announcedAt: Date.UTC(2026, 0, 2, 3, 4), leadMs: 2 * dayMs, addresses: 2 };
    expect(timelineOf(undefined, [row({ detail })])[0]?.more).toBe(
      'accepted; announced at: 2026-01-02 03:04; lead: 2d; addresses: 2; policy: default@3',
    );
  });
});

describe("the desk's part of an operators' file", () => {
  const file = (desk: string) => `issuers:
  - alias: acme
    issuer: https://id.acme.example
    audience: api
    clients: [cli, desk]
    roles: { leads: approver }
${desk}`;
  const read = (desk: string) => parseOperatorsFile(file(desk), 'operators.yaml');

  it('may be left out', () => expect(read('')[0]?.desk).toBeUndefined());
  it('asks for openid alone, by a public client, unless it says otherwise', () => {
    expect(read('    desk: { client: desk }')[0]?.desk).toEqual({ client: 'desk', scope: 'openid' });
  });
  it.each([
    ['desk: { client: other }', /client: is not among the clients whose tokens are taken/],
    ['desk: { client: desk, scope: profile }', /scope: needs openid/],
    ['desk: { client: desk, secret: x }', /secret/],
  ])('%s is refused', (desk, message) => expect(() => read(`    ${desk}`)).toThrow(message));
});
