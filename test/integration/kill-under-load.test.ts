/**
 * Gateway, worker and an app are killed at random moments under load, and nothing is lost beyond the stated bound. The
 * load ends with the last kill, not with the clock. `KILL_SEED` repeats a run's choices.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { seeded } from '../../bench/activity/zipf.js';
import { reservePorts } from '../../dev/stack/ports.js';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { batchAnswer } from '../../src/signs/http/batch.js';
import { EntryProcess, gatewayProcess, workerProcess } from '../support/entry-process.js';
import { startSilentServer } from '../support/fault-tcp.js';
import type { NotingAppInput } from '../support/noting-app.js';
import { backdate } from '../support/old-people.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh, openOutside } from '../support/system-outside.js';
import { until } from '../support/until.js';

const seed = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const random = seeded(seed);
const kills = { gateway: 5, worker: 3, app: 3 };
const batchMs = 200;
const counts = { bottom: 20, away: 24, untouched: 3, rowsOnly: 200 };
/** Generous: a call of a dead worker is tried again after its heartbeat timeout, or two minutes (startToCloseTimeout) at most. */
const patience = { timeoutMs: 300_000, everyMs: 250 };

const policy = `id: default
allowShortDurations: true
ladder:
  warn: { after: 30d }
  suspend: { after: 60d, noticeFloor: 1s }
recheck: 7d
retry: { attempts: 100, firstAfter: 1s, longestAfter: 2s }
`;

const outside = openOutside();
const taskQueue = fresh('kill');
const token = fresh('service-token-of-the-senders-x');
let database: FreshDatabase;
let directory: string;
let gatewayUrl: string;
let environment: Record<string, string>;
let worker: EntryProcess;
let gateway: EntryProcess;
let dormouse: DirectDormouse;

beforeAll(async () => {
  database = await openFreshDatabase();
  directory = await mkdtemp(join(tmpdir(), 'dormouse-kill-'));
  const policyFile = join(directory, 'policy.yaml');
  await writeFile(policyFile, policy);
  const { ports } = await reservePorts({ gateway: 0 });
  gatewayUrl = `http://127.0.0.1:${ports.gateway}/v1/activity`;
  environment = {
    ...inject('environment'),
    DORMOUSE_POSTGRES_URL: database.url,
    DORMOUSE_TASK_QUEUE: taskQueue,
    DORMOUSE_POLICY_FILE: policyFile,
    DORMOUSE_RECONCILE_EVERY: 'off',
    DORMOUSE_GATEWAY_PORT: String(ports.gateway),
    DORMOUSE_OPERATORS_LISTEN: `127.0.0.1:${ports.gateway}`,
    DORMOUSE_SERVICE_TOKENS: token,
  };
  worker = workerProcess(environment);
  gateway = gatewayProcess(environment);
  dormouse = createDormouse({
    temporal: outside.stack.temporal,
    postgresUrl: database.url,
    taskQueue,
    timeoutMs: 20_000,
    requestTimeoutMs: 60_000,
  });
  await Promise.all([worker.start(), gateway.start()]);
});
afterAll(async () => {
  await Promise.all([worker.kill(), gateway.kill()]);
  await dormouse.close();
  await database.close();
  await outside.close();
  await rm(directory, { recursive: true, force: true });
});

/** The signs sent for one identity, and the newest one answered with "recorded". Epoch milliseconds. */
interface Sent {
  readonly times: Set<number>;
  acknowledged: number;
}

class Ledger {
  readonly byIdentity = new Map<string, Sent>();
  /** In the past, so that a millisecond for each sign never gets ahead of the clock. */
  private last = Date.now() - 3_600_000;

  /** @returns a time that no other sign has */
  send(id: string): number {
    this.last += 1;
    const sent = this.of(id);
    sent.times.add(this.last);
    return this.last;
  }

  acknowledge(id: string, at: number): void {
    const sent = this.of(id);
    sent.acknowledged = Math.max(sent.acknowledged, at);
  }

  of(id: string): Sent {
    const sent = this.byIdentity.get(id) ?? { times: new Set(), acknowledged: 0 };
    this.byIdentity.set(id, sent);
    return sent;
  }
}

/** People who were made in Kratos some time ago, and never seen. @returns their ids */
async function peopleOfOld(count: number, days: number): Promise<string[]> {
  const people = await Promise.all(Array.from({ length: count }, () => outside.people.create('kill')));
  const ids = people.map(({ id }) => id);
  await backdate(outside.kratosDatabase, ids, days);
  return ids;
}

/** Identities as the entrance sees them, at the bottom and told a moment ago; without a lifecycle. */
async function rowsOnly(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, off_bottom, signal_window_ms)
     SELECT id, 'active', now(), now(), '{}', 1, now(), false, 86400000 FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await database.pool.query(
    'INSERT INTO activity_signal (identity_id, signalled_at) SELECT id, now() FROM unnest($1::uuid[]) AS id',
    [ids],
  );
  return ids;
}

const stageIs = async (id: string, stage: string) => (await dormouse.standing(id))?.stage === stage;

/** @returns the ids that the gateway says it has recorded */
async function post(
  signs: readonly { id: string; at: number }[],
  isBatch: boolean,
  url = gatewayUrl,
): Promise<string[]> {
  const lines = signs.map(({ id, at }) =>
    JSON.stringify({ identityId: id, at, kind: 'human', source: 'kill' }),
  );
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': isBatch ? 'application/x-ndjson' : 'application/json',
    },
    body: lines.join('\n'),
    signal: AbortSignal.timeout(20_000),
  });
  const body: unknown = await answer.json();
  if (answer.status !== 202) return [];
  if (!isBatch) return signs.map(({ id }) => id);
  return batchAnswer
    .parse(body)
    .results.flatMap(({ line, outcome }) => (outcome === 'recorded' ? (signs[line - 1]?.id ?? []) : []));
}

/** Sends until `isOver`. An identity in `once` is sent until it is acknowledged, and then never again. */
async function sendAway(
  ledger: Ledger,
  options: { ids: readonly string[]; once: string[]; lines: number; isOver: () => boolean },
): Promise<void> {
  const { ids, once, lines, isOver } = options;
  while (!isOver() || once.length > 0) {
    const [next] = once;
    const special = next !== undefined && (isOver() || random() < 0.03) ? [next] : [];
    const others = Array.from(
      { length: lines - special.length },
      () => ids[Math.floor(random() * ids.length)] ?? '',
    );
    const signs = [...new Set([...special, ...others])].map((id) => ({ id, at: ledger.send(id) }));
    // A gateway that was killed answers nothing: the sign may count or not.
    const recorded = await post(signs, lines > 1).catch((): string[] => []);
    for (const { id, at } of signs) if (recorded.includes(id)) ledger.acknowledge(id, at);
    if (special[0] !== undefined && recorded.includes(special[0])) once.shift();
    await pause(20);
  }
}

/** Kills at random moments, and starts again at once. */
async function killNowAndThen(process: EntryProcess, times: number): Promise<void> {
  for (let kill = 0; kill < times; kill += 1) {
    await pause(500 + random() * 3_000);
    await process.kill();
    await process.start();
  }
}

interface AppLife {
  readonly once: readonly string[];
  readonly journal: string;
}

/** Each life of the app has identities of its own, so that a later life can't repeat lost signs. */
async function livesOfTheApp(lives: readonly AppLife[]): Promise<void> {
  for (const [index, { once, journal }] of lives.entries()) {
    const input: NotingAppInput = {
      journal,
      postgresUrl: database.url,
      temporalAddress: outside.stack.temporal.address,
      taskQueue,
      batchMs,
      seed: seed + index,
      identityIds: await rowsOnly(counts.rowsOnly),
      once,
    };
    const inputFile = `${journal}.json`;
    await writeFile(inputFile, JSON.stringify(input));
    const app = new EntryProcess('test/support/noting-app.ts', 'noting', {}, [inputFile]);
    await app.start();
    // Dies after it noted all of its identities, at a random moment of its batches.
    await until('the app to have noted everybody', async () => {
      const text = await readFile(journal, 'utf8');
      return once.every((id) => text.includes(`note ${id} `));
    });
    await pause(random() * 3 * batchMs);
    await app.kill();
  }
}

interface Journal {
  readonly noted: readonly { id: string; at: number; line: number; writtenAt: number }[];
  /** The last statement that was answered began here. */
  readonly safeLine: number;
  readonly endedAt: number;
  /** Longest pause between two lines, and longest statement; milliseconds. */
  readonly longestGapMs: number;
  readonly longestStatementMs: number;
}

async function readJournal(path: string): Promise<Journal> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  const noted: { id: string; at: number; line: number; writtenAt: number }[] = [];
  const times: number[] = [];
  let begun: { line: number; at: number } | undefined;
  let [safeLine, longestGapMs, longestStatementMs] = [-1, 0, 0];
  for (const [line, text] of lines.entries()) {
    const [time, what, id, at] = text.split(' ');
    const writtenAt = Number(time);
    longestGapMs = Math.max(longestGapMs, writtenAt - (times.at(-1) ?? writtenAt));
    times.push(writtenAt);
    if (what === 'note' && id !== undefined) noted.push({ id, at: Number(at), line, writtenAt });
    if (what === 'begin') begun = { line, at: writtenAt };
    if (begun !== undefined) longestStatementMs = Math.max(longestStatementMs, writtenAt - begun.at);
    if (what === 'end' && begun !== undefined) {
      safeLine = begun.line;
      begun = undefined;
    }
  }
  return { noted, safeLine, endedAt: times.at(-1) ?? 0, longestGapMs, longestStatementMs };
}

/** @returns the latest sign of each kind in PostgreSQL */
async function recordedSigns(): Promise<Map<string, number>> {
  const found = await database.pool.query<{ identity_id: string; kind: string; last_active_at: Date }>(
    'SELECT identity_id, kind, last_active_at FROM identity_activity',
  );
  return new Map(found.rows.map((row) => [`${row.identity_id}/${row.kind}`, row.last_active_at.getTime()]));
}

test(
  'a worker tells the workflow of a sign whose gateway died before telling',
  { timeout: 400_000 },
  async () => {
    const silent = await startSilentServer();
    const { ports } = await reservePorts({ gateway: 0 });
    const cutOff = gatewayProcess({
      ...environment,
      DORMOUSE_GATEWAY_PORT: String(ports.gateway),
      DORMOUSE_OPERATORS_LISTEN: `127.0.0.1:${ports.gateway}`,
      DORMOUSE_TEMPORAL_ADDRESS: `127.0.0.1:${silent.port}`,
    });
    const [id = ''] = await peopleOfOld(1, 100);
    await dormouse.enrol(id);
    await until('suspended', () => stageIs(id, 'suspended'), patience);
    await cutOff.start();
    try {
      const at = Date.now();
      const url = `http://127.0.0.1:${ports.gateway}/v1/activity`;
      expect(await post([{ id, at }], false, url)).toEqual([id]);
      expect(await stageIs(id, 'suspended')).toBe(true);
      await cutOff.kill();
      await until('the return', () => stageIs(id, 'active'), patience);
      expect((await dormouse.liveStanding(id)).lastActiveAt).toBe(at);
    } finally {
      await cutOff.kill();
      await silent.close();
    }
  },
);

test('no acknowledged sign is lost, and every return takes effect', { timeout: 900_000 }, async () => {
  const problems: string[] = [];
  const bottom = await peopleOfOld(counts.bottom, 10);
  const away = await peopleOfOld(counts.away, 100);
  const untouched = await peopleOfOld(counts.untouched, 100);
  for (const id of [...bottom, ...away, ...untouched]) await dormouse.enrol(id);
  for (const id of bottom) await until('active', () => stageIs(id, 'active'), patience);
  for (const id of [...away, ...untouched])
    await until('suspended', () => stageIs(id, 'suspended'), patience);

  // The load: each suspended person shows up once, by one of the sources.
  const ledger = new Ledger();
  const rows = await rowsOnly(counts.rowsOnly);
  const everybody = [...bottom, ...rows];
  const share = (part: number) => away.filter((_id, index) => index % 6 === part);
  const lives = Array.from({ length: kills.app }, (_, index) => ({
    once: share(index),
    journal: join(directory, `app-${index}`),
  }));
  let isOver = false;
  const sending: { once: string[]; lines: number }[] = [
    { once: share(3), lines: 1 },
    { once: share(4), lines: 1 },
    { once: share(5), lines: 25 },
    { once: [], lines: 50 },
  ];
  const senders = sending.map((sender) =>
    sendAway(ledger, { ...sender, ids: everybody, isOver: () => isOver }),
  );
  await Promise.all([
    killNowAndThen(gateway, kills.gateway),
    killNowAndThen(worker, kills.worker),
    livesOfTheApp(lives),
  ]);
  isOver = true;
  await Promise.all(senders);
  // One more death with work on its hands; nobody sends anything afterwards.
  await gateway.kill();

  const recorded = await recordedSigns();
  for (const [id, { times, acknowledged }] of ledger.byIdentity) {
    const at = recorded.get(`${id}/human`) ?? 0;
    if (at < acknowledged) problems.push(`${id}: ${acknowledged} was acknowledged, ${at} is recorded`);
    if (at > 0 && !times.has(at)) problems.push(`${id}: ${at} is recorded, and was never sent`);
  }
  let lost = 0;
  for (const { journal } of lives) {
    const read = await readJournal(journal);
    const bound = batchMs + read.longestGapMs + 2 * read.longestStatementMs;
    for (const { id, at, line, writtenAt } of read.noted) {
      if ((recorded.get(`${id}/token`) ?? 0) >= at) continue;
      lost += 1;
      if (line < read.safeLine)
        problems.push(
          `${id}: ${at} was noted before a statement that was answered, ${recorded.get(`${id}/token`)} is recorded`,
        );
      if (read.endedAt - writtenAt > bound) {
        problems.push(
          `${id}: lost ${read.endedAt - writtenAt} ms before the death, the bound is ${bound} ms`,
        );
      }
    }
  }

  // Returns: an identity with a sign in PostgreSQL comes back, whichever process died.
  const seen = away.filter((id) => recorded.has(`${id}/human`) || recorded.has(`${id}/token`));
  expect(seen.length, `seed ${seed}: too few came back for the test to say anything`).toBeGreaterThan(12);
  for (const id of seen) {
    const latest = Math.max(recorded.get(`${id}/human`) ?? 0, recorded.get(`${id}/token`) ?? 0);
    await until(
      `the return of ${id} (seed ${seed})`,
      async () => {
        const standing = await dormouse.liveStanding(id);
        return standing.stage === 'active' && standing.lastActiveAt === latest;
      },
      patience,
    );
  }
  for (const id of untouched) {
    if (!(await stageIs(id, 'suspended'))) problems.push(`${id}: nobody saw it, and it came back`);
  }
  // An operator requests the next look of identities at the bottom.
  for (const id of bottom) {
    const { lastActiveAt } = await dormouse.applyPolicy(id, { actor: 'operator-7', policyId: 'default' });
    const at = recorded.get(`${id}/human`) ?? 0;
    if (lastActiveAt < at) problems.push(`${id}: ${at} is recorded, the lifecycle says ${lastActiveAt}`);
    const newest = Math.max(...ledger.of(id).times);
    if (at > 0 && lastActiveAt > newest) problems.push(`${id}: the lifecycle says more than was ever sent`);
  }
  await until(
    'no open claim',
    async () => {
      const open = await database.pool.query('SELECT 1 FROM activity_signal WHERE open_claim IS NOT NULL');
      return open.rows.length === 0;
    },
    patience,
  );
  console.log(
    `seed ${seed}: ${[...ledger.byIdentity.values()].reduce((sum, { times }) => sum + times.size, 0)} signs sent, ${lost} noted ones lost in ${kills.app} deaths, ${seen.length} returns`,
  );
  expect(problems, `seed ${seed}`).toEqual([]);
});
