/** Links that are followed in the same second as another event: on the real server, in real time. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { kindsFor, readMailbox } from '../../dev/demo/mailbox.js';
import type { Person } from '../../dev/demo/ory-people.js';
import { linkIn } from '../../dev/demo/people-links.js';
import { readNotBefore } from '../../src/tokens/revocations-table.js';
import { reactivateUpdate, standingQuery } from '../../src/workflows/messages.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { isUnderWay } from '../support/under-way.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

const stack = inject('stack');
const policyId = 'races';
const policy = `
id: ${policyId}
allowShortDurations: true
ladder:
  deactivate: { after: 4s, notices: [2s], noticeFloor: 2s, withoutNotice: wait, mailAfter: true }
selfService:
  reactivation: { linkLifetime: 1h }
  keep: { rungs: [deactivate], postpones: 1h, times: 1 }
breaker: { percentFrom: 1000, stall: off }
recheck: 1h
retry: { attempts: 5, firstAfter: 1s, longestAfter: 1s }
`;
let live: Harness;
let gateway: TestGateway;
let kratos: FaultProxy;
let taskQueue: string;

beforeAll(async () => {
  quietLog();
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  live = await openHarness();
  taskQueue = await live.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
  await live.publish(policy);
  gateway = await listenGateway({
    stack,
    more: { rateLimits: { pagesPerMinute: 10_000, linkRequestsPerMinute: 10_000 } },
  });
});
afterAll(async () => {
  await gateway.close();
  await live.end();
  await kratos.close();
});

async function enrol() {
  const person = await live.people.create('races');
  const handle = await live.enrol(person.id, taskQueue, { policyId, activity: { human: Date.now() } });
  return { person, handle };
}

const mailsOf = async ({ email }: Person) =>
  (await readMailbox(stack.mail.apiUrl)).filter(({ to }) => email !== undefined && to.includes(email));

async function latestLink(person: Person, path: string): Promise<URL> {
  const url = await until(`a mail with ${path}`, async () =>
    (await mailsOf(person)).flatMap((mail) => linkIn(mail, path) ?? []).at(-1),
  );
  return new URL(url.pathname, gateway.url);
}

/** Waits for the deactivation, and asks for a link. */
async function reactivationLink(person: Person): Promise<URL> {
  await until('the deactivation', async () => {
    return (await gateway.dormouse.standing(person.id))?.stage === 'deactivated';
  });
  const body = new URLSearchParams({ identifier: person.identifier });
  await fetch(new URL('/account/reactivate', gateway.url), { method: 'POST', body });
  return latestLink(person, '/account/reactivate/');
}

const press = async (url: URL) => (await fetch(url, { method: 'POST' })).status;
const events = async ({ id }: Person) => (await live.audit(id)).map(({ eventType }) => eventType);

describe('a link is followed', () => {
  test('while the deactivation is under way, before its last look: the click counts', async () => {
    const { person, handle } = await enrol();
    let status = 0;
    kratos.inject(
      {
        kind: 'meanwhile',
        deed: async () => {
          if (status === 0 && (await isUnderWay(handle, 'disableIdentity')))
            status = await press(await latestLink(person, '/account/keep/'));
        },
      },
      new RegExp(`^GET /admin/identities/${person.id}$`),
    );
    await until('the click', () => status !== 0);
    expect(status).toBe(200);
    await until('the postponement', async () => (await events(person)).includes('rung_postponed'));
    const standing = await handle.query(standingQuery);
    expect(standing).toMatchObject({ stage: 'active', next: { step: 'notice', rung: 'deactivate' } });
    expect(standing.next?.at).toBeGreaterThan(Date.now() + 3_000_000);
    const { data } = await live.people.identities.getIdentity({ id: person.id });
    expect(data.state).toBe('active');
    expect(await events(person)).not.toContain('account_deactivated');
    expect(await readNotBefore(live.pool, person.id)).toBeUndefined();
  });

  test('many times at once: one return, one mail of it', async () => {
    const { person } = await enrol();
    const link = await reactivationLink(person);
    const statuses = await Promise.all(Array.from({ length: 6 }, () => press(link)));
    expect(statuses).toContain(200);
    expect(statuses.filter((status) => status !== 200 && status !== 404)).toEqual([]);
    expect(await press(link)).toBe(404);
    await until('the mail', async () => (await mailsOf(person)).some(({ kind }) => kind === 'reactivated'));
    expect((await events(person)).filter((event) => event === 'account_reactivated')).toHaveLength(1);
    const kinds = kindsFor(await readMailbox(stack.mail.apiUrl), person.email);
    // The ladder continues: a notice of the next deactivation may have come by now.
    const from = kinds.indexOf('deactivated');
    expect(kinds.slice(from, from + 3)).toEqual(['deactivated', 'reactivation', 'reactivated']);
    expect(kinds.filter((kind) => kind === 'reactivated')).toHaveLength(1);
  });

  test('made for one deactivation, it ends no later one: the workflow itself refuses', async () => {
    const { person, handle } = await enrol();
    const deactivated = () =>
      until('the deactivation', async () => {
        const standing = await gateway.dormouse.standing(person.id);
        return standing?.stage === 'deactivated' ? standing.since : undefined;
      });
    const first = await deactivated();
    const standing = await gateway.dormouse.reactivateByLink(person.id, first);
    expect(standing.stage).toBe('active');
    await until('the return', async () => {
      return (await gateway.dormouse.standing(person.id))?.stage === 'active';
    });
    const second = await deactivated();
    expect(second).toBeGreaterThan(first);
    const update = { schemaVersion: 1, actor: 'self-service', reason: 'link in a mail' } as const;
    await expect(
      handle.executeUpdate(reactivateUpdate, { args: [{ ...update, linkFor: first }] }),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('has ended') } });
    // Repeating the request that was carried out brings nobody back either.
    expect((await gateway.dormouse.reactivateByLink(person.id, first)).identityId).toBe(person.id);
    expect((await handle.query(standingQuery)).stage).toBe('deactivated');
  });

  test('while Temporal is away: the page says try again, and the link stays valid', async () => {
    const { person } = await enrol();
    const link = await reactivationLink(person);
    const cutOff = await listenGateway({ stack, temporalAddress: '127.0.0.1:9' });
    const answer = await fetch(new URL(link.pathname, cutOff.url), { method: 'POST' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('your link still holds');
    await cutOff.close();
    expect(await press(link)).toBe(200);
  });
});
