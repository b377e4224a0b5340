/** One trace from an app or an operator through the gateway and the lifecycle to the calls of other systems, as a collector gets it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { createDormouse, type Dormouse } from '../../src/client.js';
import { readConfig } from '../../src/config.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { startTracing, tracingVariables } from '../../src/observability/start-tracing.js';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';
import { gatewayProcess, workerProcess } from '../support/entry-process.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { type OtlpReceiver, startOtlpReceiver, type TakenSpan } from '../support/otlp-receiver.js';
import { fresh, slowPolicy, stateOf } from '../support/system-outside.js';
import { until } from '../support/until.js';

const reason = 'because Aunt Hildegard said so';
let directory: string;
let receiver: OtlpReceiver;
let tracing: Awaited<ReturnType<typeof startTracing>>;
let harness: Harness;
let gateway: TestGateway;
let app: Dormouse;
let taskQueue: string;
let slow: string;
let resting: string;
const people: Person[] = [];

/** Between notice and deactivation the lifecycle rests, however slow the machine: a timer wakes it. */
const restingPolicy = (id: string) => `id: ${id}
allowShortDurations: true
ladder:
  deactivate: { after: 10s, notices: [8s], noticeFloor: 8s, withoutNotice: wait }
breaker: { percentFrom: 1000 }
recheck: 1h
retry: { attempts: 2, firstAfter: 1s, longestAfter: 1s }
`;

/** The app's own tracer; its spans stay with it. */
const appTracer = new TracerProvider({ sampler: new AlwaysOnSampler() }).getTracer('acorn');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-traces-'));
  receiver = await startOtlpReceiver();
  const config = readConfig(tracingVariables, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  tracing = await startTracing(config, 'dormouse-test', pino({ level: 'silent' }));
  const workflowBundlePath = join(directory, 'bundle.js');
  await writeFile(workflowBundlePath, (await bundleWorkflows(undefined, 'traced')).code);
  harness = await openHarness();
  // No workflow is kept in memory: every task replays its whole history.
  taskQueue = await harness.startWorkers({}, { workflowBundlePath, cachedWorkflows: 0 });
  slow = (await harness.publish(slowPolicy(fresh('slow')))).id;
  resting = (await harness.publish(restingPolicy(fresh('resting')))).id;
  const dormouse = harness.createClient({ taskQueue, policyId: slow });
  gateway = await listenGateway({ stack: inject('stack'), taskQueue, wrap: () => dormouse });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  app = createDormouse({
    gateway: { url: gateway.url, token: gateway.tokens[0] },
    openTelemetry: { context, propagation },
    timeoutMs: 20_000,
  });
});
afterAll(async () => {
  await app?.close();
  await gateway?.close();
  await harness?.end();
  await tracing?.close();
  await receiver?.close();
  context.disable();
  propagation.disable();
  await rm(directory, { recursive: true, force: true });
});

async function create(prefix: string): Promise<Person> {
  const person = await harness.people.create(prefix);
  people.push(person);
  return person;
}

/** Runs `work` as a request of the app. @returns the trace's id, and the span's */
async function asApp(work: () => unknown): Promise<{ traceId: string; spanId: string }> {
  const span = appTracer.startSpan('GET /inbox');
  await context.with(trace.setSpan(context.active(), span), async () => work());
  span.end();
  return span.spanContext();
}

const inTrace = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);
const spanIn = (traceId: string, name: string | RegExp): Promise<TakenSpan> =>
  until(`a span ${name}`, () =>
    inTrace(traceId).find((span) => (typeof name === 'string' ? span.name === name : name.test(span.name))),
  );

function namesAbove(span: TakenSpan): string[] {
  const parent = receiver.spans.find(({ spanId }) => spanId === span.parentId);
  return parent === undefined ? [span.parentId] : [parent.name, ...namesAbove(parent)];
}
/**
 * Waits for `count` spans above `span`: each ends, and so arrives, after those below it.
 * @returns their names, the nearest first, and the id above them
 */
const above = (span: TakenSpan, count: number): Promise<string[]> =>
  until(`${count} spans above ${span.name}`, () => {
    const names = namesAbove(span);
    return names.length > count && names;
  });

describe('a sign of life of an app', () => {
  it('noted in two requests: each goes on in its own trace, down to Kratos and PostgreSQL', async () => {
    const [one, other] = [await create('traced'), await create('traced')];
    const first = await asApp(() => app.noteActivity(one.id));
    const second = await asApp(() => app.noteActivity(other.id));
    for (const { traceId, spanId } of [first, second]) {
      const call = await spanIn(traceId, /^Kratos /);
      expect(await above(call, 4)).toEqual([
        'RunActivity assess',
        expect.stringMatching(/^identityLifecycle (start|signal userActivity)$/),
        'SignalWithStartWorkflow userActivity',
        'sign of life',
        spanId,
      ]);
      const statement = await until('a statement of the look', () =>
        inTrace(traceId).find(
          (span) => span.name.startsWith('PostgreSQL SELECT') && namesAbove(span)[0] === 'RunActivity assess',
        ),
      );
      expect(statement.attributes['db.query.summary']).toMatch(/^SELECT [a-z_]+$/);
    }
  });

  it('awaited: the span of the event has a link to the request that brought it', async () => {
    const person = await create('traced');
    const { traceId } = await asApp(() => app.recordActivity(person.id));
    const event = await spanIn(traceId, 'sign of life');
    const request = await spanIn(traceId, 'POST /v1/activity');
    expect(event.links).toEqual([{ traceId, spanId: request.spanId }]);
    expect(request.attributes).toMatchObject({
      'http.route': '/v1/activity',
      'http.response.status_code': 202,
    });
    const batch = await spanIn(traceId, 'record signs of life');
    expect((await above(batch, 1))[0]).toBe('sign of life');
  });
});

describe("an operator's call", () => {
  it('goes on in the update of the workflow', async () => {
    const person = await create('traced');
    await app.enrol(person.id, { policyId: slow });
    await until('the first standing', () => app.standing(person.id));
    const request = { actor: 'op-1', reason, until: Date.now() + 86_400_000 };
    const { traceId, spanId } = await asApp(() => app.hold(person.id, request));
    const activity = await spanIn(traceId, /^RunActivity /);
    expect(await above(activity, 3)).toEqual([
      expect.stringMatching(/^identityLifecycle (update|signal) /),
      expect.stringMatching(/^(Update|Signal)Workflow /),
      'POST /v1/identities/:id/hold',
      spanId,
    ]);
  });
});

describe('a rung', () => {
  it('has the calls of Kratos and the mail server below its activities, in the trace of the timer that woke it', async () => {
    const person = await create('traced');
    await app.enrol(person.id, { policyId: resting, lastActiveAt: Date.now() - 60_000 });
    await until('the deactivation', async () => (await stateOf(harness.people, person.id)) === 'inactive');
    const of = (name: string) =>
      until(name, () =>
        receiver.spans.find(
          (span) =>
            span.name === name && span.attributes['temporal.workflow.id'] === lifecycleWorkflowId(person.id),
        ),
      );
    const deed = await of('RunActivity disableIdentity');
    expect(await above(deed, 1)).toEqual(['identityLifecycle timer (next: deactivate)', '']);
    const calls = receiver.spans.filter(({ parentId }) => parentId === deed.spanId).map(({ name }) => name);
    expect(calls).toContainEqual(expect.stringMatching(/^Kratos /));
    const mail = await until('a mail', () => receiver.spans.find(({ name }) => name === 'SMTP send'));
    expect((await above(mail, 1))[0]).toBe('RunActivity sendMail');
    expect(mail.attributes).toMatchObject({ 'dormouse.mail.outcome': 'accepted' });
  });
});

describe('a stranger', () => {
  const traceId = 'bad0bad0bad0bad0bad0bad0bad0bad0';
  const headers = { traceparent: `00-${traceId}-bad0bad0bad0bad0-01`, tracestate: `a=${'b'.repeat(600)}` };

  it('at an open route goes on in no trace of their choice', async () => {
    const before = receiver.spans.length;
    expect((await fetch(`${gateway.url}/healthz`, { headers })).status).toBe(200);
    const span = await until('its span', () =>
      receiver.spans.slice(before).find(({ name }) => name === 'GET /healthz'),
    );
    expect(span.parentId).toBe('');
    expect(inTrace(traceId)).toEqual([]);
  });

  it('without a credential leaves no span at all', async () => {
    const answer = await fetch(`${gateway.url}/v1/activity`, { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(401);
    await asApp(() => app.standing(people[0]?.id ?? ''));
    await until('a later span', () => receiver.spans.find(({ name }) => /\/standing$/.test(name)));
    expect(inTrace(traceId)).toEqual([]);
    expect(
      receiver.spans.filter(({ attributes }) => attributes['http.response.status_code'] === 401),
    ).toEqual([]);
  });
});

describe('the processes', () => {
  it('export under their own names, and what is left as they end', async () => {
    const environment = {
      ...harness.environment,
      DORMOUSE_TASK_QUEUE: fresh('traced'),
      DORMOUSE_WORKER_VERSIONING: 'off',
      DORMOUSE_GATEWAY_PORT: '0',
      DORMOUSE_OPERATORS_LISTEN: '127.0.0.1:0',
      DORMOUSE_POLICY_FILE: 'policies/default.yaml',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    };
    const [worker, front] = [workerProcess(environment), gatewayProcess(environment)];
    try {
      await worker.start();
      await front.start();
      const url = /"address":"(http:[^"]+)"/.exec(front.said)?.[1] ?? expect.fail('no address');
      const person = await create('traced');
      const traceId = '5eed5eed5eed5eed5eed5eed5eed5eed';
      const answer = await fetch(`${url}/v1/activity`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${harness.environment.DORMOUSE_SERVICE_TOKENS?.split(',')[0]}`,
          'content-type': 'application/json',
          traceparent: `00-${traceId}-5eed5eed5eed5eed-01`,
        },
        body: JSON.stringify({ identityId: person.id }),
      });
      expect(answer.status).toBe(202);
      const look = await spanIn(traceId, 'RunActivity assess');
      expect(look.service).toBe('dormouse-worker');
      await front.stop();
      const request = await spanIn(traceId, 'POST /v1/activity');
      expect(request).toMatchObject({ service: 'dormouse-gateway', parentId: '5eed5eed5eed5eed' });
    } finally {
      await front.stop();
      await worker.stop();
    }
  });
});

it('a history that traced workers made replays without traces', async () => {
  const person = await create('traced');
  await asApp(() => app.enrol(person.id, { policyId: slow }));
  await until('the first standing', () => app.standing(person.id));
  const history = await harness.client.workflow.getHandle(lifecycleWorkflowId(person.id)).fetchHistory();
  expect(JSON.stringify(history)).toContain('_tracer-data');
  await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundlePath') } }, history);
});

describe('of all that was exported', () => {
  it('nothing is there twice, though every task replayed its history', () => {
    const ids = receiver.spans.map(({ spanId }) => spanId);
    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('nothing names a person, a secret or a reason', () => {
    const bytes = Buffer.concat([...receiver.bodies]).toString('latin1');
    const secrets = [
      reason,
      'Hildegard',
      'Bearer',
      ...gateway.tokens,
      ...people.flatMap(({ email = 'no address', password }) => [email, password]),
    ];
    expect(secrets.length).toBeGreaterThan(12);
    for (const secret of secrets) expect(bytes).not.toContain(secret);
    // An address of anybody, or the text of a statement.
    expect(JSON.stringify(receiver.spans)).not.toMatch(/@|%40|\$1|WHERE/);
  });
});
