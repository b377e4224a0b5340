/** What the listener for operators answers: readiness with its causes, and the page of figures. */
import { Gauge } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { listenAddress } from '../../src/config/listen-address.js';
import { type ObservabilityListener, startListener } from '../../src/observability/listener.js';
import { ReadinessChecks } from '../../src/observability/readiness.js';
import { createRegistry } from '../../src/observability/registry.js';

let listener: ObservabilityListener | undefined;
afterEach(() => listener?.close());

async function listen(
  checks: ReadinessChecks,
  registry = createRegistry('worker'),
  more?: () => Promise<string>,
) {
  listener = await startListener({
    address: { host: '127.0.0.1', port: 0 },
    registry,
    readReadiness: () => checks.read(),
    ...(more && { more }),
  });
  const { url } = listener;
  return async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
}

describe('/readyz', () => {
  it('is 503 until everything is loaded', async () => {
    const get = await listen(new ReadinessChecks());
    const { status, text } = await get('/readyz');
    expect(status).toBe(503);
    expect(text).toContain('is still starting');
  });

  it('is 200 where all checks pass, and names what is degraded', async () => {
    const checks = new ReadinessChecks();
    checks.add('database', async () => undefined);
    checks.add('temporal', async () => 'is away', false);
    checks.begun();
    const { status, text } = await (await listen(checks))('/readyz');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ status: 'ready', causes: {}, degraded: { temporal: 'is away' } });
  });

  it('is 503 with the cause of each check that fails, and repeats nothing of a foreign error', async () => {
    const checks = new ReadinessChecks(1);
    checks.add('workers', async () => 'a worker does not ask Temporal for tasks');
    checks.add('database', () => Promise.reject(new Error('postgres://dormouse:secret@db/dormouse')));
    checks.add('temporal', () => new Promise(() => undefined));
    checks.begun();
    const { status, text } = await (await listen(checks))('/readyz');
    expect(status).toBe(503);
    expect(text).not.toContain('secret');
    expect(Object.keys(JSON.parse(text).causes)).toEqual(['workers', 'database', 'temporal']);
  });

  it('is 503 as soon as the process shuts down', async () => {
    const checks = new ReadinessChecks();
    checks.begun();
    checks.stopping();
    expect((await (await listen(checks))('/readyz')).text).toContain('shutting down');
  });
});

it('/livez is 200 also where nothing else works', async () => {
  const get = await listen(new ReadinessChecks());
  expect((await get('/livez')).status).toBe(200);
});

describe('/metrics', () => {
  it('answers the figures of the process and those of another exporter, for no cache', async () => {
    const get = await listen(new ReadinessChecks(), createRegistry('worker'), async () => 'temporal_x 1\n');
    const { status, text, headers } = await get('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('version=0.0.4');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toMatch(/^dormouse_build_info\{release="\d+\.\d+\.\d+",part="worker"\} 1$/m);
    expect(text).toMatch(/^temporal_x 1$/m);
  });

  it('is 503 without the error where a figure cannot be read', async () => {
    const registry = createRegistry('worker');
    new Gauge({
      name: 'broken',
      help: 'broken',
      registers: [registry],
      collect: () => Promise.reject(new Error('secret')),
    });
    const { status, text } = await (await listen(new ReadinessChecks(), registry))('/metrics');
    expect(status).toBe(503);
    expect(text).not.toContain('secret');
  });
});

describe('DORMOUSE_METRICS_LISTEN and DORMOUSE_OPERATORS_LISTEN', () => {
  it.each([
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['localhost:9464', { host: 'localhost', port: 9464 }],
    ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
  ])('%s is an address', (text, address) => {
    expect(listenAddress.parse(text)).toEqual(address);
  });

  it.each([
    '',
    ':9464',
    '65536',
    '127.0.0.1:65536',
    '::1:9464',
    'db.example:9464',
    '9464\n',
    '999.0.0.1:1',
    '9464/x',
  ])('%j is refused', (text) => {
    expect(listenAddress.safeParse(text).success).toBe(false);
  });
});
