/** The guards' figures in an app's own registry. */
import { Gauge, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { exposeGuards } from '../../src/middleware/metrics.js';
import { parsePage, sampleValue } from '../support/prometheus-text.js';

it('a guard shows its staleness in seconds as of each scrape, and what it could not judge', async () => {
  const registry = new Registry();
  let staleMs = Number.POSITIVE_INFINITY;
  exposeGuards({ Gauge, registry }, { sessions: { counters: () => ({ staleMs, unavailable: 3 }) } });
  const staleness = async () =>
    sampleValue(parsePage(await registry.metrics()), 'dormouse_guard_staleness_seconds', {
      guard: 'sessions',
    });
  expect(await staleness()).toBe(Number.POSITIVE_INFINITY);
  staleMs = 2_500;
  expect(await staleness()).toBe(2.5);
  expect(sampleValue(parsePage(await registry.metrics()), 'dormouse_guard_unavailable_answers')).toBe(3);
});
