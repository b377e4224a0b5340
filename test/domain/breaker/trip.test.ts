/** What an operator is told to check before a release. */
import { expect, test } from 'vitest';
import { adviceFor, type TripCause, tripCauses } from '../../../src/domain/breaker/trip.js';

test.each<[TripCause, RegExp]>([
  ['limit', /breaker waiting/],
  ['feed-stalled', /signs of life stopped/],
  ['clock', /clocks \(NTP\)/],
  ['restored', /signs of life and revocations/],
  ['operator', /ask the actor/],
])('a trip by %s has advice of its own', (cause, advice) => {
  expect(adviceFor(cause)).toMatch(advice);
});

test('no two causes share their advice', () => {
  expect(new Set(tripCauses.map(adviceFor)).size).toBe(tripCauses.length);
});
