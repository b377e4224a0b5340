/** Each server is killed without warning and started again, with its data, while a dozen lifecycles climb the whole ladder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, startStack } from '../../dev/stack/index.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';
import { CallBook } from './harness/call-book.js';
import { keepFigures } from './harness/figures.js';
import { judge, type Verdict } from './harness/judge.js';
import { deletionNoticedAt, type MailServer, startMailServer } from './harness/mail-server.js';
import { quickCourses, quickPolicies } from './harness/quick-courses.js';
import { findProcess, killAndRevive } from './harness/revive.js';
import { isFull } from './harness/size.js';

quietLog();
const patience = { timeoutMs: 300_000, everyMs: 500 };
type Server = 'postgres' | 'kratos' | 'hydra' | 'temporal';
const servers: readonly Server[] = ['postgres', 'kratos', 'hydra', 'temporal'];
let directory: string;
let stack: RunningStack;
let live: Harness;
let mailServer: MailServer;
let taskQueue: string;
const endings: (() => void)[] = [];

// A second stack of servers and a minute of real time: in the full form only.
const scope = isFull ? test : test.skip;

beforeAll(async () => {
  if (!isFull) return;
  directory = await mkdtemp(join(tmpdir(), 'dormouse-restarts-'));
  // Not ephemeral: Temporal keeps its histories in a file then.
  stack = await startStack({ dataDirectory: directory, worker: false, gateway: false });
  const { postgres } = stack.info;
  await prepareDatabase({ url: postgres.runtimeUrl, migrationUrl: postgres.url });
  mailServer = await startMailServer(new CallBook());
  live = await openHarness({ stack, environment: { DORMOUSE_SMTP_URL: mailServer.url } });
  for (const policy of quickPolicies) await live.publish(policy);
  taskQueue = await live.startWorkers();
});
afterAll(async () => {
  if (!isFull) return;
  await live.end();
  for (const end of endings) end();
  await stack.stop();
  await mailServer.close();
  await rm(directory, { recursive: true, force: true });
});

async function restart(server: Server): Promise<void> {
  const { kratos, hydra, temporal, postgres } = stack.info;
  const port = (url: string) => new URL(url.includes('://') ? url : `tcp://${url}`).port;
  const [address, known] = {
    postgres: [postgres.url, ['-p', port(postgres.url)]],
    kratos: [kratos.adminUrl, [join(directory, 'kratos', 'kratos.json')]],
    hydra: [hydra.adminUrl, [join(directory, 'hydra', 'hydra.json')]],
    temporal: [temporal.address, [join(directory, 'temporal', 'temporal.db')]],
  }[server] as [string, string[]];
  endings.push(await killAndRevive(await findProcess(...known), () => isListening(Number(port(address)))));
}

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

scope.each(servers)('%s is killed and started again', async (server) => {
  const [course] = quickCourses;
  if (course === undefined) throw new Error('there is a course');
  const people = await Promise.all(
    Array.from({ length: 12 }, async (_none, index) => {
      const email = `r-${server}-${index}@example.com`;
      const { data } = await live.people.identities.createIdentity({
        createIdentityBody: { schema_id: 'person', traits: { email } },
      });
      return {
        email,
        id: data.id,
        handle: await live.enrol(data.id, taskQueue, { policyId: course.policyId }),
      };
    }),
  );
  const [first] = people;
  let kills = 0;
  for (const event of ['inactivity_warned', 'tokens_revoked_stale', 'account_deactivated']) {
    await until(
      event,
      async () => (await live.audit(first?.id ?? '')).some(({ eventType }) => eventType === event),
      patience,
    );
    await restart(server);
    kills += 1;
  }
  const verdicts: Verdict[] = [];
  let steps = 0;
  for (const { id, email, handle } of people) {
    await until(`the end of ${id}`, () => isOver(handle), patience);
    const answer = await live.people.identities.getIdentity({ id }, { validateStatus: () => true });
    const mails = mailServer.taken.filter(({ to }) => to === email);
    const audit = await live.audit(id);
    steps += audit.length;
    verdicts.push(
      judge({
        ...{ id, email, course, fault: undefined, struck: true, isOver: true, isParked: false },
        audit,
        mails,
        ...deletionNoticedAt(mails),
        kratos: answer.status === 404 ? 'absent' : 'active',
        // PostgreSQL may die between the mail server's answer and the row that keeps it, at each restart.
        copiesAllowed: server === 'postgres' ? 3 : 0,
      }),
    );
  }
  const count = (list: 'wrongful' | 'missed' | 'stuck') =>
    verdicts.reduce((sum, verdict) => sum + verdict[list].length, 0);
  await keepFigures({
    part: `restarts-${server}`,
    tried: `${people.length} lifecycles from warning to deletion`,
    steps,
    faults: kills,
    wrongful: count('wrongful'),
    missed: count('missed'),
    stuck: count('stuck'),
    duplicateMails: verdicts.reduce((sum, { duplicates }) => sum + duplicates, 0),
    notes: ['SIGKILL after a warning, a revocation and a deactivation; Linux only'],
  });
  expect(verdicts.flatMap(({ wrongful, missed, problems }) => [wrongful, missed, problems].flat())).toEqual(
    [],
  );
  expect((await verifyAudit(live.pool)).brokenAt).toBeUndefined();
});

const isOver = async (handle: LifecycleHandle) => (await handle.describe()).status.name === 'COMPLETED';
