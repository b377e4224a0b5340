/** The desk's pages by HTTP: what each role sees and may do, and that everything people wrote is shown as text. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { tripAndAudit } from '../../src/breaker/decisions.js';
import { dayMs } from '../../src/domain/duration.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { type DeskUser, openDesk, type TestDesk } from '../support/desk-pages.js';
import { publish } from '../support/publish.js';
import { writeSomebody } from '../support/standings.js';
import { fresh, slowPolicy } from '../support/system-outside.js';

const now = Date.now();
const evil = `<img src=x onerror=alert(1)>"'&{{this}}`;
const asText = '&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;&quot;&#x27;&amp;{{this}}';
const dateIn = (days: number) => new Date(now + days * dayMs).toISOString().slice(0, 10);

let desk: TestDesk;
let users: Readonly<Record<'vera' | 'olaf' | 'oona' | 'anna' | 'adam', DeskUser>>;
const called: [string, unknown][] = [];

beforeAll(async () => {
  desk = await openDesk({
    // Without a worker no lifecycle answers: what a form asks of one is noted.
    wrap: (dormouse) =>
      new Proxy(dormouse, {
        get(target, name, receiver) {
          const noted = ['retryParked', 'skipParked', 'reactivate', 'applyPolicy', 'lookAgain'];
          if (!noted.includes(String(name))) {
            const value = Reflect.get(target, name, receiver);
            return typeof value === 'function' ? value.bind(target) : value;
          }
          return async (id: string, request: unknown) => {
            called.push([`${String(name)} ${id}`, request]);
          };
        },
      }),
  });
  const [vera, olaf, oona, anna, adam] = await Promise.all(
    ['vera', 'olaf', 'oona', 'anna', 'adam'].map((who) => desk.user(who)),
  );
  if (!vera || !olaf || !oona || !anna || !adam) throw new Error('somebody is missing');
  users = { vera, olaf, oona, anna, adam };
});
afterAll(() => desk.close());

const somebody = (more: Parameters<typeof writeSomebody>[2] = {}) =>
  writeSomebody(desk.database.pool, now, more);

describe('the overview', () => {
  it('counts people by stage, by what is in the way, and by what comes within a week', async () => {
    await desk.database.pool.query('DELETE FROM standing');
    await somebody({ next: { step: 'rung', rung: 'warn', at: now + 2 * dayMs } });
    await somebody({ next: { step: 'rung', rung: 'warn', at: now + 30 * dayMs } });
    await somebody({ stage: 'warned', next: { step: 'notice', rung: 'revoke', at: now - dayMs } });
    const blocked = { by: 'hold', why: 'on hold' } as const;
    await somebody({ stage: 'revoked', blocked, next: { step: 'rung', rung: 'delete', at: now + dayMs } });
    const { html } = await users.vera.open('/desk');
    expect(cells(html, 'active')).toEqual(['2']);
    expect(cells(html, 'warned')).toEqual(['1']);
    expect(html).toContain('<a href="/desk/people?blockedBy&#x3D;hold">a hold</a> <strong>1</strong>');
    // In the order of the ladder; what a hold stops does not come.
    expect(heads(html)).toEqual(['Day', 'warn', 'notice:revoke']);
    expect(cells(html, `${dateIn(0)}, today`)).toEqual(['0', '1']);
    expect(cells(html, dateIn(2))).toEqual(['1', '0']);
    expect(cells(html, dateIn(1))).toEqual(['0', '0']);
  });

  it('links to the people behind a number', async () => {
    const id = await somebody({
      stage: 'suspended',
      next: { step: 'rung', rung: 'winback', at: now + 3 * dayMs },
    });
    const { html } = await users.vera.open(`/desk/people?step=winback&day=${dateIn(3)}&blockedBy=none`);
    expect(html.match(/\/desk\/identities\//g)).toHaveLength(1);
    expect(html).toContain(id);
  });

  it('refuses conditions that there are not', async () => {
    for (const query of ['stage=<b>', 'day=2026-13-01', 'after=x', 'blockedBy=constructor']) {
      const { status, html } = await users.vera.open(`/desk/people?${query}`);
      expect([query, status]).toEqual([query, 400]);
      expect(html).not.toContain('<b>');
    }
  });
});

it('10,000 people are shown by pages, each person once', async () => {
  await desk.database.pool.query('DELETE FROM standing');
  await desk.database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, blocked_by)
     SELECT gen_random_uuid(), 'warned', $1::timestamptz, $1::timestamptz, jsonb_build_object('schemaVersion', 1, 'stage', 'warned', 'notices',
       '[]'::jsonb, 'warnings', '[]'::jsonb), 1, now(), 'breaker' FROM generate_series(1, 10000)`,
    [new Date(now)],
  );
  const { html } = await users.vera.open('/desk');
  expect(cells(html, 'warned')).toEqual(['10,000']);
  const seen = new Set<string>();
  let next: string | undefined = '/desk/people?stage=warned';
  let pages = 0;
  while (next !== undefined) {
    const page: string = (await users.vera.open(next)).html;
    for (const [, id = ''] of page.matchAll(/\/desk\/identities\/([0-9a-f-]{36})/g)) seen.add(id);
    next = nextOf(page);
    pages += 1;
  }
  expect([seen.size, pages]).toEqual([10_000, 100]);
  const first = (await users.vera.open('/desk/breaker')).html;
  expect(first).toContain('Who waits (10,000)');
  const second = (await users.vera.open(nextOf(first) ?? '')).html;
  const idsOf = (page: string) => [...page.matchAll(/class="id" href="([^"]+)"/g)].map(([, id]) => id);
  expect(idsOf(first)).toHaveLength(100);
  expect(idsOf(second).filter((id) => idsOf(first).includes(id))).toEqual([]);
  await desk.database.pool.query('DELETE FROM standing');
});

describe('one identity', () => {
  it('shows where it stands, why, and the timeline of signs, notices and decisions, all as text', async () => {
    const at = now - 3 * dayMs;
    const id = await somebody({
      ...{ stage: 'warned', why: `why ${evil}`, warnings: [evil] },
      ...{ activity: { human: now - 9 * dayMs }, next: { step: 'rung', rung: 'suspend', at: now + dayMs } },
      notices: [{ rung: 'revoke', leadMs: dayMs, outcome: 'accepted', at, inactiveSince: at }],
    });
    const held = await users.olaf.post(`/desk/identities/${id}/hold`, {
      ...{ reason: evil, kind: 'leave', until: dateIn(10), requestId: randomUUID() },
    });
    expect(held.path).toBe(`/desk/identities/${id}?done=held`);
    expect(held.html).toContain('It is held.');
    expect(held.html).toContain(`why ${asText}`);
    expect(held.html.split(asText).length).toBeGreaterThan(3);
    expect(held.html).not.toContain('<img');
    for (const text of ['last sign of life of a person', 'hold set', 'by oidc:dev:olaf', 'suspend'])
      expect(held.html).toContain(text);
    expect(held.html).toContain(
      `http://temporal.test/namespaces/default/workflows/identity-lifecycle%2F${id}`,
    );
    expect(await readAudit(desk.database.pool, id)).toMatchObject([
      { eventType: 'hold_set', actor: 'oidc:dev:olaf', detail: { reason: evil, kind: 'leave' } },
    ]);
  });

  it('is exempted, reviewed and left to the ladder again by an operator', async () => {
    const id = await somebody();
    const url = `/desk/identities/${id}`;
    const values = { reason: 'batch', kind: 'service', owner: 'team/x', reviewAt: dateIn(30) };
    expect((await users.olaf.post(`${url}/exempt`, values)).html).toContain('It is exempt');
    const review = { reason: 'still right', owner: '', reviewAt: dateIn(60) };
    expect((await users.oona.post(`${url}/review-exemption`, review)).html).toContain(
      'stays, until the next review',
    );
    expect((await users.olaf.post(`${url}/end-exemption`, { reason: 'over' })).html).toContain('has ended');
    expect(
      (await readAudit(desk.database.pool, id)).map(({ eventType, actor }) => [eventType, actor]),
    ).toEqual([
      ['exemption_set', 'oidc:dev:olaf'],
      ['exemption_reviewed', 'oidc:dev:oona'],
      ['exemption_ended', 'oidc:dev:olaf'],
    ]);
  });

  it('asks its lifecycle what the API asks, in the name of whoever is signed in', async () => {
    const parked = { step: 'revoke', errorType: 'Broken', wayOut: `Mend ${evil}`, since: now };
    const id = await somebody({ stage: 'deactivated', parked, blocked: { by: 'parked', why: 'failed' } });
    const url = `/desk/identities/${id}`;
    const { html } = await users.olaf.open(url);
    for (const name of ['retry-parked', 'skip-parked', 'reactivate', 'apply-policy', 'look-again'])
      expect(html).toContain(`action="${url}/${name}"`);
    expect(html).toContain(`Mend ${asText}`);
    called.length = 0;
    const actor = 'oidc:dev:olaf';
    const requestId = 'one';
    await users.olaf.post(`${url}/retry-parked`, { requestId, actor: 'somebody else' });
    await users.olaf.post(`${url}/skip-parked`, { requestId, reason: 'no' });
    await users.olaf.post(`${url}/reactivate`, { requestId, reason: 'is back' });
    await users.olaf.post(`${url}/apply-policy`, { requestId, policyId: 'strict', version: '' });
    await users.olaf.post(`${url}/look-again`);
    expect(called).toEqual([
      [`retryParked ${id}`, { actor, requestId }],
      [`skipParked ${id}`, { actor, requestId, reason: 'no' }],
      [`reactivate ${id}`, { actor, requestId, reason: 'is back' }],
      [`applyPolicy ${id}`, { actor, requestId, policyId: 'strict' }],
      [`lookAgain ${id}`, undefined],
    ]);
  });

  it('of which nothing is known is answered 404, and what is no UUID 400, without repeating it', async () => {
    expect((await users.vera.open(`/desk/identities/${randomUUID()}`)).status).toBe(404);
    const wrong = await users.vera.open('/desk/identities/jane@example.com');
    expect(wrong.status).toBe(400);
    expect(wrong.html).not.toContain('jane');
  });

  it.each([
    ['hold', { reason: '', kind: 'leave', until: dateIn(1) }, 'reason'],
    ['hold', { reason: 'x', kind: 'leave', until: 'tomorrow' }, 'until'],
    ['hold', { reason: 'x', kind: 'leave', until: dateIn(-2) }, 'until'],
    ['hold', { reason: 'x', kind: 'leave', until: dateIn(5_000) }, 'until'],
    ['hold', { reason: 'x', kind: 'forever', until: dateIn(1) }, 'kind'],
    [
      'exempt',
      { reason: 'call jane@example.com', kind: 'service', owner: 'x', reviewAt: dateIn(1) },
      'reason',
    ],
    ['exempt', { reason: 'a'.repeat(201), kind: 'service', owner: 'x', reviewAt: dateIn(1) }, 'reason'],
    ['exempt', { reason: 'a\u0000b', kind: 'service', owner: 'x', reviewAt: dateIn(1) }, 'reason'],
    ['apply-policy', { policyId: '../x', version: '' }, 'policyId'],
    ['release', { reason: 'x', holdId: 'h1' }, ''],
  ])('%s with %j is refused and names the field', async (name, values, field) => {
    const id = await somebody();
    const page = await users.olaf.post(`/desk/identities/${id}/${name}`, values);
    expect(page.status).toBe(400);
    expect(page.html).toContain(`role="alert">${field}`);
    expect(page.html).not.toContain('jane');
    expect(await readAudit(desk.database.pool, id)).toEqual([]);
  });
});

describe('a viewer', () => {
  it('sees no form but the search and the sign-out, and is refused when posting by hand', async () => {
    const parked = { step: 'revoke', errorType: 'Broken', wayOut: 'Mend it', since: now };
    const id = await somebody({ stage: 'deactivated', parked, blocked: { by: 'parked', why: 'failed' } });
    const trip = await tripBreaker();
    for (const path of [
      '/desk',
      `/desk/identities/${id}`,
      '/desk/breaker',
      '/desk/policies',
      '/desk/reports',
    ]) {
      const { html } = await users.vera.open(path);
      const forms = [...html.matchAll(/<form[^>]* action="([^"]+)"/g)].map(([, action]) => action);
      expect(forms.filter((action) => !['/desk/sign-out', '/desk/find'].includes(action ?? ''))).toEqual([]);
    }
    called.length = 0;
    const deeds = [
      'hold',
      'release',
      'reactivate',
      'retry-parked',
      'skip-parked',
      'apply-policy',
      'look-again',
    ];
    const exemptions = ['exempt', 'review-exemption', 'end-exemption'];
    for (const path of [
      ...[...deeds, ...exemptions].map((name) => `/desk/identities/${id}/${name}`),
      `/desk/breaker/trips/${trip}/releases`,
      '/desk/breaker/releases/1/approvals',
      ...['/desk/publish', '/desk/work/retry-parked'],
      ...['pause', 'resume', 'back'].map((name) => `/desk/policies/default/rollout/${name}`),
    ]) {
      const { status } = await users.vera.post(path, { reason: 'x' });
      expect([path, status]).toEqual([path, 403]);
      expect(desk.log.at(-1)).toMatchObject({ category: 'SECURITY', actor: 'oidc:dev:vera', cause: 'scope' });
    }
    expect(called).toEqual([]);
    expect(await readAudit(desk.database.pool, id)).toEqual([]);
    await desk.database.pool.query('UPDATE breaker_trip SET released_at = now() WHERE id = $1', [trip]);
  });
});

async function tripBreaker(operators = 2): Promise<number> {
  const wanted = {
    scope: 'all',
    cause: 'operator',
    why: `drill ${evil}`,
    trippedAt: now,
    operators,
  } as const;
  return (await inTransaction(desk.database.pool, (client) => tripAndAudit(client, wanted, 'test'))).id;
}

describe('the breaker', () => {
  it('is released by a second person: neither by whoever proposed, nor by an operator without the right', async () => {
    const trip = await tripBreaker();
    const proposed = await users.anna.post(`/desk/breaker/trips/${trip}/releases`, { reason: 'looked at' });
    expect(proposed.path).toBe('/desk/breaker?done=proposed');
    expect(proposed.html).toContain('You agreed already.');
    expect(proposed.html).toContain(`drill ${asText}`);
    const release = (await desk.database.pool.query('SELECT max(id)::int AS id FROM breaker_release')).rows[0]
      ?.id;
    const approval = `/desk/breaker/releases/${release}/approvals`;
    expect(proposed.html).not.toContain(`action="${approval}"`);
    expect((await users.anna.post(approval)).status).toBe(400);
    expect((await users.olaf.open('/desk/breaker')).html).not.toContain(`action="${approval}"`);
    expect((await users.olaf.post(approval)).status).toBe(403);
    expect((await users.adam.open('/desk/breaker')).html).toContain(`action="${approval}"`);
    const passed = await users.adam.post(approval);
    expect(passed.path).toBe('/desk/breaker?done=passed');
    expect(passed.html).toContain('Not tripped.');
    expect((await users.adam.post(approval)).status).toBe(400);
  });

  it('lets only those pass who are listed, and names a line that is no identity', async () => {
    const trip = await tripBreaker(1);
    const url = `/desk/breaker/trips/${trip}/releases`;
    const wrong = await users.olaf.post(url, {
      reason: 'x',
      identities: `${randomUUID()}\njane@example.com`,
    });
    expect([wrong.status, wrong.html.includes('number 2'), wrong.html.includes('jane')]).toEqual([
      400,
      true,
      false,
    ]);
    const listed = await users.olaf.post(url, {
      reason: 'x',
      identities: `${randomUUID()}\r\n${randomUUID()}\r\n`,
    });
    expect(listed.path).toBe('/desk/breaker?done=passed');
    expect(listed.html).toContain('Tripped:');
  });
});

describe('addresses', () => {
  it('are found and shown with the scope addresses:read alone, and stand in no log', async () => {
    const email = `jane-${randomUUID()}@example.com`;
    const created = await fetch(new URL('/admin/identities', stackKratos()), {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({
        schema_id: 'person',
        traits: { email },
        credentials: { password: { config: { password: randomUUID() } } },
      }),
    });
    const { id } = (await created.json()) as { id: string };
    await somebody({ identityId: id });
    const found = await users.adam.post('/desk/find', { who: email });
    expect(found.path).toBe(`/desk/identities/${id}`);
    expect(found.html).toContain(`<dd>${email}</dd>`);
    expect((await users.anna.open(`/desk/identities/${id}`)).html).not.toContain(email);
    const refused = await users.anna.post('/desk/find', { who: email });
    expect([refused.status, refused.html.includes(email)]).toEqual([400, false]);
    expect((await users.anna.post('/desk/find', { who: ` ${id.toUpperCase()} ` })).path).toBe(
      `/desk/identities/${id}`,
    );
    expect((await users.vera.post('/desk/find', { who: `identity-lifecycle/${id}` })).path).toBe(
      `/desk/identities/${id}`,
    );
    const nobody = await users.adam.post('/desk/find', { who: `x${email}` });
    expect([nobody.status, nobody.html.includes(email)]).toEqual([400, false]);
    expect(JSON.stringify(desk.log)).not.toContain(email);
  });
});

describe('policies', () => {
  it('are shown, previewed, and published on that preview in the name of whoever is signed in', async () => {
    const { id } = await publish(desk.database.pool, slowPolicy(fresh('desk')));
    const { html } = await users.vera.open(`/desk/policies/${id}`);
    expect(html).toContain('Version 1, the latest');
    const text = textOf((await users.adam.open(`/desk/preview?of=${id}@1`)).html);
    const made = await users.adam.post('/desk/preview', { text: `${text}# ${evil}\r\n` });
    expect(made.status).toBe(200);
    expect(made.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(made.html).not.toContain('<img');
    const preview = /name="preview" value="([0-9a-f]{64})"/.exec(made.html)?.[1] ?? '';
    const read = await users.vera.post('/desk/preview', { text });
    expect([read.status, read.html.includes('action="/desk/publish"')]).toEqual([200, false]);
    const form = { preview, reason: 'a remark' };
    expect((await users.adam.post('/desk/publish', { ...form, text })).html).toContain('is of another text');
    const published = await users.adam.post('/desk/publish', { ...form, text: `${text}# ${evil}\r\n` });
    expect(published.path).toBe(`/desk/policies/${id}?done=published`);
    expect(published.html).toContain('Version 2, the latest');
    const audit = await readAudit(desk.database.pool, '00000000-0000-0000-0000-000000000000');
    expect(audit.at(-1)).toMatchObject({
      ...{ eventType: 'policy_published', actor: 'oidc:dev:adam' },
      outcome: `published on preview ${preview.slice(0, 12)}`,
    });
  });

  it('that are wrong come back with each problem and the text as it was typed', async () => {
    const page = await users.adam.post('/desk/preview', { text: `id: default\nladder: ${evil}` });
    expect(page.status).toBe(400);
    expect(page.html).toContain('text:2:');
    expect(page.html).toContain(`ladder: ${asText}</textarea>`);
  });

  it('that there are not are answered 404, and a roll-out that does not run 400', async () => {
    expect((await users.vera.open('/desk/policies/nowhere')).status).toBe(404);
    const { id } = await publish(desk.database.pool, slowPolicy(fresh('desk')));
    for (const name of ['pause', 'resume', 'back']) {
      const page = await users.adam.post(`/desk/policies/${id}/rollout/${name}`, { reason: 'x', to: '' });
      expect([name, page.status]).toEqual([name, 400]);
    }
  });
});

it('the report of a month has its numbers, and another word is no month', async () => {
  expect((await users.vera.open('/desk/reports?month=2020-01')).html).toContain(
    'hit revocation <strong>0</strong>',
  );
  expect((await users.vera.open('/desk/reports?month=2020-13')).status).toBe(400);
});

it('the work list names what waits, with its way out', async () => {
  const id = await somebody({ blocked: { by: 'missing', why: `gone ${evil}` }, stage: 'warned' });
  const { html } = await users.vera.open('/desk/work?kind=missing');
  expect(html).toContain(`href="/desk/identities/${id}"`);
  expect(html).toContain(`gone ${asText}`);
  expect(html).toContain('bring it back in Kratos');
  expect((await users.vera.open('/desk/work?after=x')).status).toBe(400);
});

it('the parked steps of a page are tried again together, and other words are no identities', async () => {
  const parked = { step: 'revoke', errorType: 'Broken', wayOut: 'Mend it', since: now };
  const id = await somebody({ parked, blocked: { by: 'parked', why: 'failed' } });
  const { html } = await users.olaf.open('/desk/work?kind=parked');
  const listed = /name="identities" value="([^"]+)"/.exec(html)?.[1] ?? '';
  expect(listed.split(' ')).toContain(id);
  // No lifecycle runs for them here: nobody is told, and nothing fails.
  const done = await users.olaf.post('/desk/work/retry-parked', { identities: listed });
  expect(done.path).toBe('/desk/work?kind=parked&done=retriedAll');
  expect((await users.olaf.post('/desk/work/retry-parked', { identities: 'x' })).status).toBe(400);
  const many = Array.from({ length: 101 }, () => randomUUID()).join(' ');
  expect((await users.olaf.post('/desk/work/retry-parked', { identities: many })).status).toBe(400);
});

function cells(html: string, row: string): string[] {
  const found =
    html.split('<tr>').find((one) => one.slice(0, one.indexOf('</th>') + 1).includes(`>${row}<`)) ?? '';
  return [...found.matchAll(/<td class="n">(.*?)<\/td>/gs)].map(([, cell = '']) =>
    cell.replace(/<[^>]*>/g, ''),
  );
}

function heads(html: string): string[] {
  const week = html.slice(html.indexOf('id="week"'));
  return [...week.matchAll(/<th scope="col"[^>]*>(.*?)<\/th>/g)].map(([, head = '']) => head);
}

function nextOf(html: string): string | undefined {
  return /class="button" href="([^"]+)">Next page/
    .exec(html)?.[1]
    ?.replaceAll('&#x3D;', '=')
    .replaceAll('&amp;', '&');
}

/** The text of the page's form, as a browser has it. */
function textOf(html: string): string {
  const raw = /<textarea[^>]*>\n?(.*?)<\/textarea>/s.exec(html)?.[1] ?? '';
  const entities: Readonly<Record<string, string>> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#x27;': "'",
    '&#x3D;': '=',
    '&#x60;': '`',
  };
  return raw.replace(/&[^;]+;/g, (entity) => entities[entity] ?? entity);
}

const stackKratos = () => inject('stack').kratos.adminUrl;
