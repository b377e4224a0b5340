/** From a request to a return: the middleware, the real client, PostgreSQL, and the lifecycle of somebody suspended. */
import express from 'express';
import Fastify from 'fastify';
import { afterAll, expect, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { dormouseActivity as expressActivity } from '../../src/middleware/express.js';
import { dormouseActivity as fastifyActivity } from '../../src/middleware/fastify.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { portOf } from '../middleware/support.js';
import { openClientHarness } from '../support/harness/client.js';
import { backdate } from '../support/old-people.js';
import { until } from '../support/until.js';

const suspending = (id: string) => `id: ${id}
allowShortDurations: true
ladder:
  warn: { after: 30d }
  suspend: { after: 60d, noticeFloor: 1s }
recheck: 7d
retry: { attempts: 3, firstAfter: 1s, longestAfter: 1s }
`;
const system = await openClientHarness(suspending);
const { dormouse } = system;
const { people, pool, kratosPool: kratosDatabase, stack } = system.harness;
const kratos = { publicUrl: stack.kratos.publicUrl };
/** There is one request only, so a slow answer must not time out. */
const verifyTimeoutMs = 20_000;
afterAll(() => system.harness.end());

interface App {
  readonly url: string;
  close(): Promise<unknown>;
}

async function fastifyApp(): Promise<App> {
  const app = Fastify();
  await app.register(fastifyActivity, { dormouse, kratos, verifyTimeoutMs });
  app.get('/', () => ({ hello: 'world' }));
  app.get('/forbidden', (_request, reply) => reply.code(403).send({}));
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
}

async function expressApp(): Promise<App> {
  const app = express();
  app.use(expressActivity({ dormouse, kratos, verifyTimeoutMs }));
  app.get('/', (_request, response) => void response.json({ hello: 'world' }));
  app.get('/forbidden', (_request, response) => void response.status(403).json({}));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

const stageIs = async (id: string, stage: string) => (await dormouse.standing(id))?.stage === stage;

/** Signed in a hundred days ago, with a session that is good to this day, and suspended since. */
async function suspended() {
  const person = await people.create('return');
  const signIn = await people.signIn(person);
  if (signIn === undefined) throw new Error('Kratos refused the sign-in');
  await backdate(kratosDatabase, [person.id], 100);
  await dormouse.enrol(person.id);
  await until('the suspension', () => stageIs(person.id, 'suspended'));
  return { id: person.id, headers: { 'x-session-token': signIn.sessionToken } };
}

test.each([
  ['Fastify', fastifyApp],
  ['Express', expressApp],
])('%s: a request in a session that is still good brings a suspended person back', async (_name, start) => {
  const { id, headers } = await suspended();
  const app = await start();
  try {
    // A request that the app itself refuses is no sign of life.
    expect((await fetch(`${app.url}/forbidden`, { headers })).status).toBe(403);
    const before = Date.now();
    expect((await fetch(app.url, { headers })).status).toBe(200);
    await until('the return', () => stageIs(id, 'active'));
    const { human } = await readSigns(pool, id);
    expect(human).toBeGreaterThanOrEqual(before);
    const { lastActiveAt, offBottom } = await dormouse.liveStanding(id);
    expect({ lastActiveAt, offBottom }).toEqual({ lastActiveAt: human, offBottom: false });
    const events = (await readAudit(pool, id)).map(({ eventType }) => eventType);
    expect(events).toEqual(['lifecycle_started', 'inactivity_warned', 'actions_suspended', 'returned']);
  } finally {
    await app.close();
  }
});
