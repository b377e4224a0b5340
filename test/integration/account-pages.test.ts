/** The pages behind the links in mails, over real HTTP and PostgreSQL: what they show, what they change, and what they refuse. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { linkIn } from '../../dev/demo/people-links.js';
import type { EngineDormouse } from '../../src/client/engine.js';
import { DormouseUnavailableError, InvalidRequestError } from '../../src/client.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { keepLinkHolds } from '../../src/domain/links.js';
import type { DestructiveRung } from '../../src/domain/rungs.js';
import type { Standing } from '../../src/domain/standing.js';
import { createLinkToken, hashOfToken } from '../../src/links/link-token.js';
import { readLink } from '../../src/links/links-table.js';
import { readPostponements } from '../../src/links/postponements-table.js';
import { findByReturnAddress } from '../../src/links/return-addresses-table.js';
import { mintLinks } from '../../src/mail/links.js';
import { isUnsubscribed } from '../../src/mail/preferences-table.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import {
  fresh,
  openOutside,
  publish,
  slowPolicy,
  testIdentifierKey,
  unknownId,
} from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

const stack = inject('stack');
const outside = openOutside();
let gateway: TestGateway;
/** The gateway's time; links are made at `madeAt`. */
const madeAt = Date.UTC(2031, 4, 1);
let now = madeAt + dayMs;
const logged: string[] = [];
/** The workflow's answers; test/workflows/self-service.test.ts asks the real one. */
let onReactivate: () => Promise<Standing>;
const told: string[] = [];
const asked: string[] = [];

beforeAll(async () => {
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  gateway = await listenGateway({
    stack,
    log,
    clock: { now: async () => now },
    more: { rateLimits: { pagesPerMinute: 10_000, linkRequestsPerMinute: 10_000 } },
    wrap: scripted,
  });
});
afterAll(async () => {
  await gateway.close();
  await outside.close();
});

/** The real client, except for calls that need a workflow. */
function scripted(real: EngineDormouse): EngineDormouse {
  return new Proxy(real, {
    get(target, name, receiver) {
      if (name === 'lookAgain') return async (id: string) => void told.push(id);
      if (name === 'reactivateByLink') return () => onReactivate();
      if (name === 'requestReactivationLink') return async (id: string) => void asked.push(id);
      const value: unknown = Reflect.get(target, name, receiver);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function standingOf(identityId: string, more: Partial<Standing> = {}): Standing {
  return {
    schemaVersion: 1,
    identityId,
    stage: 'revoked',
    since: madeAt - 100 * dayMs,
    lastActiveAt: madeAt - 700 * dayMs,
    activity: {},
    why: 'away',
    notices: [notice()],
    completed: {},
    warnings: [],
    offBottom: true,
    signalWindowMs: 0,
    ...more,
  };
}

const inactiveSince = madeAt - 700 * dayMs;
const notice = (rung: DestructiveRung = 'delete', since = inactiveSince) => ({
  rung,
  leadMs: 30 * dayMs,
  outcome: 'accepted' as const,
  at: madeAt,
  inactiveSince: since,
});

const record = (standing: Standing, at = madeAt + 1) => writeStanding(gateway.pool, standing, at);

/** A link as a mail carries it. @returns its path at the gateway */
async function keepLink(
  identityId: string,
  more: Partial<{ rung: DestructiveRung; round: number }> = {},
): Promise<string> {
  const keep = {
    ...{
      rung: 'delete' as const,
      inactiveSince,
      round: 0,
      announcedAt: madeAt + 30 * dayMs,
      byMs: 30 * dayMs,
    },
    ...more,
  };
  const request = { identityId, kind: 'notice-delete' as const, links: { keep } };
  const minted = await mintLinks({ pool: gateway.pool, linkBaseUrl: 'https://x.test' }, request, madeAt);
  return new URL(minted.keep?.url ?? '').pathname;
}

async function reactivationLink(identityId: string, deactivatedAt: number): Promise<string> {
  const request = {
    identityId,
    kind: 'reactivation' as const,
    links: { reactivate: { deactivatedAt, lifetimeMs: 2 * dayMs } },
  };
  const minted = await mintLinks({ pool: gateway.pool, linkBaseUrl: 'https://x.test' }, request, madeAt);
  return new URL(minted.reactivation?.url ?? '').pathname;
}

async function deactivated(): Promise<{ id: string; since: number; path: string; standing: Standing }> {
  const id = unknownId();
  const since = madeAt - 10 * dayMs;
  const standing = standingOf(id, { stage: 'deactivated', since });
  await record(standing);
  return { id, since, standing, path: await reactivationLink(id, since) };
}

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Page> {
  const answer = await fetch(new URL(path, gateway.url), { method, headers });
  return { status: answer.status, headers: answer.headers, html: await answer.text() };
}
const get = (path: string, headers = {}) => ask('GET', path, headers);
const post = (path: string, headers = {}) => ask('POST', path, headers);
const token = (path: string) => path.split('/').at(-1) ?? '';
const isUsable = async (path: string) =>
  (await readLink(gateway.pool, hashOfToken(token(path)), now)) !== undefined;

async function warned(more: Partial<Standing> = {}): Promise<string> {
  const id = unknownId();
  await record(standingOf(id, more));
  return id;
}

describe('"Keep my account"', () => {
  it('changes nothing however often it is opened, as mail scanners do', async () => {
    const id = await warned();
    const path = await keepLink(id);
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) await ask(method, path);
    const page = await get(path);
    expect(page.status).toBe(200);
    expect(page.html).toContain('Your account will be deleted on May 31, 2031');
    expect(page.html).toContain('by 30 days: it will not happen before June 30, 2031');
    expect(page.html).toContain('it does not sign you in');
    expect(await readPostponements(gateway.pool, id)).toEqual([]);
    expect(told).not.toContain(id);
    expect(await isUsable(path)).toBe(true);
  });

  it('postpones once, tells the workflow, and is used up', async () => {
    const id = await warned();
    const path = await keepLink(id);
    const sibling = await keepLink(id);
    const done = await post(path);
    expect(done).toMatchObject({
      status: 200,
      html: expect.stringContaining('not happen before June 30, 2031'),
    });
    expect(done.headers.get('set-cookie')).toBeNull();
    const untilAt = madeAt + 60 * dayMs;
    const expected = [{ rung: 'delete', inactiveSince, round: 0, untilAt, confirmedAt: now }];
    expect(await readPostponements(gateway.pool, id)).toEqual(expected);
    expect(told).toContain(id);
    expect(await isUsable(path)).toBe(false);
    for (const used of [path, sibling]) {
      expect((await get(used)).status).toBe(404);
      expect((await post(used)).status).toBe(404);
    }
    expect(await readPostponements(gateway.pool, id)).toEqual(expected);
  });

  it('postpones once for many presses at the same moment, in many mails of one round', async () => {
    const id = await warned();
    const paths = [await keepLink(id), await keepLink(id), await keepLink(id)];
    const answers = await Promise.all([...paths, ...paths, ...paths].map((path) => post(path)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(8);
    expect(await readPostponements(gateway.pool, id)).toHaveLength(1);
    for (const path of paths) expect((await get(path)).status).toBe(404);
  });

  it('counts from now where the announced date has passed', async () => {
    const id = await warned();
    const path = await keepLink(id);
    now = madeAt + 40 * dayMs;
    expect((await post(path)).status).toBe(200);
    expect(await readPostponements(gateway.pool, id)).toMatchObject([{ untilAt: now + 30 * dayMs }]);
    now = madeAt + dayMs;
  });

  it('works before the projection knows of the notice', async () => {
    const id = unknownId();
    await record(standingOf(id, { notices: [] }), madeAt - 5);
    expect((await post(await keepLink(id))).status).toBe(200);
  });
});

describe('a link that is not valid', () => {
  const cases: Record<string, () => Promise<string>> = {
    'was never made': async () => `/account/keep/${createLinkToken().token}`,
    'is no token at all': async () => '/account/keep/%2e%2e%2fetc',
    'is empty': async () => '/account/keep/',
    'has expired': async () => {
      const path = await keepLink(await warned());
      now = madeAt + 60 * dayMs;
      return path;
    },
    'is for the other page': async () => (await deactivated()).path.replace('reactivate', 'keep'),
    'is for the other page, too': async () =>
      (await keepLink(await warned())).replace('/keep/', '/reactivate/'),
    'belongs to an absence that is over': async () => {
      const id = await warned();
      const path = await keepLink(id);
      await record(standingOf(id, { stage: 'active', notices: [] }), now);
      return path;
    },
    'belongs to an earlier absence': async () => {
      const id = await warned();
      const path = await keepLink(id);
      await record(standingOf(id, { notices: [notice('delete', inactiveSince + dayMs)] }), now);
      return path;
    },
    'comes too late: it is done': async () => {
      const id = await warned({ notices: [notice('deactivate')] });
      const path = await keepLink(id, { rung: 'deactivate' });
      const done = { stage: 'deactivated' as const, completed: { deactivate: now } };
      await record(standingOf(id, { ...done, notices: [notice('deactivate')] }), now);
      return path;
    },
    'belongs to somebody who is deleted': async () => {
      const id = await warned();
      const path = await keepLink(id);
      await buryIdentity(gateway.pool, id, undefined, now);
      return path;
    },
    'belongs to somebody unknown': async () => keepLink(unknownId()),
    'was made for an earlier deactivation': async () => {
      const { id, path } = await deactivated();
      await record(standingOf(id, { stage: 'deactivated', since: now - 1 }), now);
      return path;
    },
    'is for somebody who is back': async () => {
      const { id, path, since } = await deactivated();
      await record(standingOf(id, { stage: 'active', since }), now);
      return path;
    },
  };

  it.each(Object.entries(cases))('%s: one and the same page', async (what, make) => {
    onReactivate = () => Promise.reject(new Error('must not be asked'));
    const path = await make();
    const [first, posted] = [await get(path), await post(path)];
    now = madeAt + dayMs;
    expect(first.status).toBe(404);
    expect(posted.status).toBe(404);
    if (what === 'is empty') return;
    const page = (await get(`/account/keep/${createLinkToken().token}`)).html;
    expect(first.html).toBe(page);
    expect(posted.html).toBe(page);
    expect(page).toContain('https://acorn.test/login');
    expect(page).toContain(`${stack.gateway.url}/account/reactivate`);
  });

  it('is forgotten when it has expired and another is made', async () => {
    const path = await keepLink(await warned());
    const count = async () =>
      (await gateway.pool.query('SELECT 1 FROM link WHERE token_hash = $1', [hashOfToken(token(path))]))
        .rowCount;
    expect(await count()).toBe(1);
    const later = { pool: gateway.pool, linkBaseUrl: 'https://x.test' };
    const links = { reactivate: { deactivatedAt: 1, lifetimeMs: 1 } };
    await mintLinks(later, { identityId: unknownId(), kind: 'reactivation', links }, madeAt + 60 * dayMs);
    expect(await count()).toBe(0);
  });

  it('is not valid if the standing is unknown', () => {
    const link = {
      ...{ purpose: 'keep' as const, identityId: unknownId(), boundAt: 1, rung: 'delete' as const },
      ...{ round: 0, announcedAt: 1, byMs: 1, createdAt: 1 },
    };
    expect(keepLinkHolds(link, undefined)).toBe(false);
  });
});

describe('the reactivation link', () => {
  it('changes nothing when it is opened', async () => {
    const { path } = await deactivated();
    onReactivate = () => Promise.reject(new Error('must not be asked'));
    for (const method of ['GET', 'HEAD', 'GET']) expect((await ask(method, path)).status).toBe(200);
    expect((await get(path)).html).toContain('this does not sign you in');
    expect(await isUsable(path)).toBe(true);
  });

  it('brings back, uses up every link of the identity, and leads to the sign-in page without signing in', async () => {
    const { id, since, path, standing } = await deactivated();
    const other = await reactivationLink(id, since);
    onReactivate = async () => {
      await record({ ...standing, stage: 'active' }, now);
      return { ...standing, stage: 'active' };
    };
    const done = await post(path);
    expect(done.status).toBe(200);
    expect(done.html).toContain('Your account is active again');
    expect(done.html).toContain('href="https://acorn.test/login"');
    expect(done.headers.get('set-cookie')).toBeNull();
    expect([await isUsable(path), await isUsable(other)]).toEqual([false, false]);
    expect((await post(other)).status).toBe(404);
  });

  it('is still valid after Temporal was away', async () => {
    const { path } = await deactivated();
    onReactivate = () => Promise.reject(new DormouseUnavailableError('Temporal'));
    const busy = await post(path);
    expect(busy).toMatchObject({ status: 503, html: expect.stringContaining('your link still holds') });
    expect(await isUsable(path)).toBe(true);
  });

  it('is still valid while the return is parked', async () => {
    const { path, standing } = await deactivated();
    const parked = { step: 'return', errorType: 'KratosUnavailable', wayOut: 'Retry.', since: now };
    onReactivate = async () => {
      await record({ ...standing, parked }, now);
      return { ...standing, parked };
    };
    expect((await post(path)).status).toBe(503);
    expect(await isUsable(path)).toBe(true);
  });

  it('is refused where the workflow refuses, or does nothing', async () => {
    const { path, standing } = await deactivated();
    onReactivate = () => Promise.reject(new InvalidRequestError('no'));
    expect((await post(path)).status).toBe(404);
    onReactivate = async () => standing;
    expect((await post(path)).status).toBe(404);
  });
});

describe('"No more invitations"', () => {
  async function unsubscribeLink(identityId: string): Promise<string> {
    const request = { identityId, kind: 'winback' as const };
    const minted = await mintLinks({ pool: gateway.pool, linkBaseUrl: 'https://x.test' }, request, madeAt);
    return new URL(minted.unsubscribeUrl ?? '').pathname;
  }
  const at = (path: string, init: RequestInit = {}) => fetch(new URL(path, gateway.url), init);

  it('changes nothing when it is opened, stores the choice when it is confirmed, and accepts a second press', async () => {
    const id = unknownId();
    const path = await unsubscribeLink(id);
    for (const method of ['GET', 'HEAD', 'GET']) expect((await at(path, { method })).status).toBe(200);
    expect(await isUnsubscribed(gateway.pool, id)).toBe(false);
    const form = { method: 'POST', body: new URLSearchParams() };
    for (let press = 1; press <= 2; press += 1) {
      const answer = await at(path, form);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('no more invitations');
    }
    expect(await isUnsubscribed(gateway.pool, id)).toBe(true);
  });

  it.each([
    ['as RFC 8058 prefers', () => new FormData()],
    ['as RFC 8058 allows', () => new URLSearchParams()],
  ])('is pressed by a mail program, without a page: %s', async (_what, bodyOf) => {
    const id = unknownId();
    const body = bodyOf();
    body.append('List-Unsubscribe', 'One-Click');
    expect((await at(await unsubscribeLink(id), { method: 'POST', body })).status).toBe(200);
    expect(await isUnsubscribed(gateway.pool, id)).toBe(true);
  });

  it('is not accepted as another link, and no other link as it', async () => {
    const id = unknownId();
    const token = (await unsubscribeLink(id)).split('/').at(-1);
    for (const page of ['keep', 'reactivate']) {
      expect(
        (await at(`/account/${page}/${token}`, { method: 'POST', body: new URLSearchParams() })).status,
      ).toBe(404);
    }
    const keep = (await keepLink(id)).split('/').at(-1);
    const answer = await at(`/account/unsubscribe/${keep}`, { method: 'POST', body: new URLSearchParams() });
    expect(answer.status).toBe(404);
    expect(await isUnsubscribed(gateway.pool, id)).toBe(false);
  });

  it('is forgotten with the identity', async () => {
    const id = unknownId();
    await at(await unsubscribeLink(id), { method: 'POST', body: new URLSearchParams() });
    await buryIdentity(gateway.pool, id, undefined, now);
    expect(await isUnsubscribed(gateway.pool, id)).toBe(false);
  });
});

describe('asking for a link', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const send = (body: string, headers: Record<string, string> = form) =>
    fetch(new URL('/account/reactivate', gateway.url), { method: 'POST', headers, body });

  it('shows a form with a label, in the language of the browser', async () => {
    const english = await get('/account/reactivate');
    expect(english.html).toContain('<html lang="en"');
    expect(english.html).toMatch(/<label for="identifier">[^<]+<\/label>\s*<input id="identifier"/);
    const german = await get('/account/reactivate', { 'accept-language': 'fr, de-AT;q=0.8, en;q=0.5' });
    expect(german.html).toContain('<html lang="de"');
    expect(german.headers.get('content-language')).toBe('de');
  });

  it('answers the same for everybody, and asks the workflow of deactivated people only', async () => {
    const people = new OryPeople(stack);
    const away = await people.create('away');
    const here = await people.create('here');
    await record(standingOf(away.id, { stage: 'deactivated' }));
    await record(standingOf(here.id, { stage: 'warned' }));
    const identifiers = [
      away.identifier,
      here.identifier,
      `nobody-${unknownId()}@example.com`,
      '',
      'x'.repeat(999),
    ];
    const pages = new Set<string>();
    for (const identifier of identifiers) {
      const answer = await send(new URLSearchParams({ identifier }).toString());
      expect(answer.status).toBe(200);
      pages.add(await answer.text());
    }
    expect(pages.size).toBe(1);
    await eventually('the workflow asked', async () => asked.includes(away.id));
    expect(asked).not.toContain(here.id);
    expect(logged.join('\n')).not.toContain(away.identifier);
  });

  it('finds somebody who signs in by another provider by the mailbox on record, while they are deactivated', async () => {
    const person = await outside.people.create('elsewhere');
    const { email = '' } = person;
    const policyId = fresh('policy');
    await publish(outside.pool, slowPolicy(policyId));
    const look = () => outside.assess({ identityId: person.id, policyChoice: { id: policyId } });
    const isKnown = async () =>
      (await findByReturnAddress(gateway.pool, testIdentifierKey, email)).length > 0;
    await look();
    expect(await isKnown()).toBe(false);
    const disabled = outside.disableIdentity({
      identityId: person.id,
      inactiveSince: Date.now() + dayMs,
      keepsAlive: ['human'],
    });
    expect(await disabled).toEqual({ outcome: 'done' });
    await look();
    expect(await isKnown()).toBe(true);
    // No sign-in name of the person equals the mailbox.
    await outside.kratosDatabase.query(
      `DELETE FROM identity_credential_identifiers WHERE identity_credential_id IN
         (SELECT id FROM identity_credentials WHERE identity_id = $1)`,
      [person.id],
    );
    const byCredential = await outside.people.identities.listIdentities({ credentialsIdentifier: email });
    expect(byCredential.data).toEqual([]);
    await record(standingOf(person.id, { stage: 'deactivated' }));
    await send(new URLSearchParams({ identifier: `  ${email.toUpperCase()}` }).toString());
    await eventually('the workflow asked', async () => asked.includes(person.id));
    const rows = await gateway.pool.query('SELECT * FROM return_address WHERE identity_id = $1', [person.id]);
    expect(rows.rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows.rows)).not.toContain('elsewhere');
    await outside.enableIdentity({ identityId: person.id });
    expect(await isKnown()).toBe(false);
  });

  it('takes forms only, and small ones', async () => {
    expect((await send('{}', { 'content-type': 'application/json' })).status).toBe(415);
    expect((await send(`identifier=${'x'.repeat(5_000)}`)).status).toBe(413);
  });
});

describe('every page', () => {
  it('is not cached, framed or indexed, and runs no script', async () => {
    const id = await warned();
    const unknown = `/account/keep/${createLinkToken().token}`;
    for (const path of [await keepLink(id), unknown, '/account/reactivate']) {
      const { headers, html } = await get(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-robots-tag')).toContain('noindex');
      expect(headers.get('x-frame-options')).toBe('DENY');
      const csp = headers.get('content-security-policy') ?? '';
      expect(csp).toContain("default-src 'none'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toContain('unsafe');
      expect(html).not.toMatch(/<script|<img|<link|src=|javascript:/i);
      expect(html).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">/);
      expect(html.match(/<h1>/g)).toHaveLength(1);
    }
  });

  it('has a rate limit per network, stricter for link requests; a trusted proxy names the network', async () => {
    const limited = await listenGateway({
      stack,
      more: {
        rateLimits: { pagesPerMinute: 6, linkRequestsPerMinute: 2 },
        trustedProxies: ['127.0.0.1'],
      },
    });
    try {
      const from = (network: string, method: string, path: string) =>
        fetch(new URL(path, limited.url), { method, headers: { 'x-forwarded-for': network } });
      const guess = () => from('192.0.2.1', 'GET', `/account/keep/${createLinkToken().token}`);
      const guesses = [];
      for (let tries = 0; tries < 8; tries += 1) guesses.push((await guess()).status);
      expect(guesses).toEqual([404, 404, 404, 404, 404, 404, 429, 429]);
      const refused = await guess();
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.text()).toContain('Too many tries');
      const askFor = () =>
        fetch(new URL('/account/reactivate', limited.url), {
          method: 'POST',
          headers: { 'x-forwarded-for': '192.0.2.2' },
          body: new URLSearchParams({ identifier: 'nobody@example.com' }),
        });
      expect([(await askFor()).status, (await askFor()).status, (await askFor()).status]).toEqual([
        200, 200, 429,
      ]);
    } finally {
      await limited.close();
    }
  });

  it('says "in a moment" when PostgreSQL fails', async () => {
    const broken = await listenGateway({ stack });
    await broken.pool.end();
    const answer = await fetch(new URL(`/account/keep/${createLinkToken().token}`, broken.url));
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('Try again in a moment');
    await broken.server.close();
    await broken.dormouse.close();
  });
});

it('puts no token into a log line or a table', async () => {
  const id = await warned();
  const path = await keepLink(id);
  await get(path);
  await post(path);
  expect(logged.join('\n')).not.toContain(token(path));
  const { rows } = await gateway.pool.query('SELECT to_jsonb(link) AS row FROM link WHERE identity_id = $1', [
    id,
  ]);
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(token(path));
  const bytes = Buffer.from(token(path), 'base64url').toString('hex');
  expect(JSON.stringify(rows)).not.toContain(bytes);
  expect(Buffer.from(token(path), 'base64url')).toHaveLength(16);
});

it('a link is read out of a mail', () => {
  const text = 'Keep my account:\nhttps://x.test/account/keep/abc\n\nSign in:\nhttps://y.test/login\n';
  expect(linkIn({ text }, '/account/keep/')?.pathname).toBe('/account/keep/abc');
  expect(linkIn({ text }, '/account/reactivate/')).toBeUndefined();
});
