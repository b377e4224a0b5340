/** The tracer, against a collector that takes, refuses, hangs, or is away. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { createOtlpTracer, type OtlpTracerOptions } from '../../src/observability/otlp-tracer.js';
import { startTracing, tracingVariables } from '../../src/observability/start-tracing.js';
import { tryAgain } from '../../src/process/step-error.js';
import { activeTrace, inCall, inSpan, tracing, useTracer } from '../../src/process/tracing.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';

let receiver: OtlpReceiver;
const lost: number[] = [];
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  lost.length = 0;
});
afterEach(async () => {
  useTracer(undefined);
  await receiver.close();
});

const tracerWith = (options: Partial<OtlpTracerOptions> = {}) =>
  createOtlpTracer({
    endpoint: receiver.url,
    headers: {},
    serviceName: 'dormouse-test',
    sampler: 'parentbased_always_on',
    ratio: 1,
    onLost: (spans) => lost.push(spans),
    ...options,
  });
const traceparent = (flags: string, traceId = '0af7651916cd43dd8448eb211c80319c') =>
  `00-${traceId}-b7ad6b7169203331-${flags}`;

describe('a collector that takes', () => {
  it('gets spans below each other, under the name of the service, with the headers of the configuration', async () => {
    const tracer = tracerWith({ headers: { 'x-tenant': 'acorn' } });
    useTracer(tracer);
    await inSpan({ name: 'outer', attributes: { 'dormouse.signs': 2 } }, () =>
      inCall('Kratos getIdentity', {}, async () => undefined),
    );
    await tracer.close();
    const [inner, outer] = receiver.spans;
    expect(outer).toMatchObject({ service: 'dormouse-test', name: 'outer', parentId: '' });
    expect(outer?.attributes).toEqual({ 'dormouse.signs': 2 });
    expect(inner).toMatchObject({ parentId: outer?.spanId, traceId: outer?.traceId });
    expect(receiver.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'acorn' } });
  });

  it('learns of an error its type only, and no word of its message', async () => {
    const tracer = tracerWith();
    useTracer(tracer);
    const failing = inSpan({ name: 'fails' }, async () => {
      throw tryAgain('KratosFailed', 'jane@acorn.example was answered 500');
    });
    await expect(failing).rejects.toThrow('jane@acorn.example');
    await tracer.close();
    expect(receiver.spans).toMatchObject([
      { attributes: { 'error.type': 'KratosFailed' }, events: 0, status: { code: 2 } },
    ]);
    expect(Buffer.concat([...receiver.bodies]).toString('latin1')).not.toMatch(/jane|acorn|answered/);
  });

  it('gets no span of a call outside of any trace', async () => {
    const tracer = tracerWith();
    useTracer(tracer);
    await inCall('PostgreSQL SELECT mail', {}, async () => undefined);
    await tracer.close();
    expect(receiver.spans).toEqual([]);
  });
});

describe('sampling', () => {
  const taken = async (sampler: OtlpTracerOptions['sampler'], ratio = 1) => {
    const tracer = tracerWith({ sampler, ratio });
    useTracer(tracer);
    await inSpan({ name: 'own' }, async () => undefined);
    const parents = { taken: traceparent('01'), left: traceparent('00') };
    for (const [name, parent] of Object.entries(parents))
      await inSpan({ name, parent: { traceparent: parent } }, async () => undefined);
    await tracer.close();
    return receiver.spans.map(({ name }) => name);
  };

  it.each([
    ['always_on', 1, ['own', 'taken', 'left']],
    ['always_off', 1, []],
    ['parentbased_always_on', 1, ['own', 'taken']],
    ['parentbased_always_off', 1, ['taken']],
    ['traceidratio', 0, []],
    ['parentbased_traceidratio', 0, ['taken']],
  ] as const)('%s with the argument %d takes %j', async (sampler, ratio, names) => {
    expect(await taken(sampler, ratio)).toEqual(names);
  });

  it('of a trace that began in a workflow is decided alike for its turn and for what is below it', async () => {
    const tracer = tracerWith({ sampler: 'parentbased_traceidratio', ratio: 0.5 });
    useTracer(tracer);
    const ids = Array.from({ length: 64 }, (_, i) =>
      (i * 0x3f00001 + 1).toString(16).padStart(8, '0').repeat(3),
    );
    for (const id of ids) {
      const context = { traceparent: traceparent('00', `${id}c0ffee00`), undecided: true } as const;
      tracer.take({ name: 'turn', context, links: [], attributes: {}, startedAt: 1, endedAt: 2 });
      await inSpan({ name: 'activity', parent: context }, async () => undefined);
    }
    await tracer.close();
    const of = (name: string) =>
      receiver.spans.filter((span) => span.name === name).map(({ traceId }) => traceId);
    expect(of('turn')).toEqual(of('activity'));
    expect(of('turn').length).toBeGreaterThan(0);
    expect(of('turn').length).toBeLessThan(ids.length);
  });
});

describe('a collector that does not take', () => {
  const work = async () => {
    const results: number[] = [];
    for (let i = 0; i < 10_000; i += 1) results.push(await inSpan({ name: 'work' }, async () => i));
    return results.length;
  };

  it.each(['refuse', 'hang'] as const)('%ss: work goes on, and close ends', async (how) => {
    receiver.behave(how);
    const tracer = tracerWith();
    useTracer(tracer);
    expect(await work()).toBe(10_000);
    await tracer.close();
    receiver.behave('take');
    expect(receiver.spans).toEqual([]);
  });

  it('fast enough: what exceeds the queue is left out', async () => {
    const tracer = tracerWith();
    useTracer(tracer);
    // Nothing can be sent meanwhile: the work never waits for I/O.
    expect(await work()).toBe(10_000);
    await tracer.close();
    expect(receiver.spans.length).toBeGreaterThan(4_000);
    expect(receiver.spans.length).toBeLessThan(5_000);
  });

  it('is away: what was lost is told, and close ends', async () => {
    const tracer = tracerWith({ endpoint: 'http://127.0.0.1:1' });
    useTracer(tracer);
    await inSpan({ name: 'work' }, async () => undefined);
    await tracer.close();
    expect(lost).toEqual([1]);
  });
});

describe('the configuration', () => {
  const read = (env: Record<string, string>) => readConfig(tracingVariables, env);

  it('without a collector turns nothing on', async () => {
    const log = { warn: () => undefined };
    expect(
      await startTracing(read({ OTEL_TRACES_SAMPLER: 'always_on' }), 'dormouse-test', log),
    ).toBeUndefined();
    expect(tracing()).toBeUndefined();
    expect(activeTrace()).toEqual({});
  });

  it('takes percent-encoded headers, and a path of the collector', () => {
    const config = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-tenant = acorn',
    });
    expect(config.OTEL_EXPORTER_OTLP_ENDPOINT).toBe('https://collector.example/otlp');
    expect(config.OTEL_EXPORTER_OTLP_HEADERS).toEqual({ authorization: 'Bearer abc', 'x-tenant': 'acorn' });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret-value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b%0d%0ac'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ])('%s="%s" is refused by name, without the value', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(name));
    expect(() => read({ [name]: value })).not.toThrow(new RegExp(`${value}`));
  });
});
