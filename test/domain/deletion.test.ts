/** What the rung `delete` does by policy: cool-down, export, anonymous traits. */
import { describe, expect, test } from 'vitest';
import { anonymousTraits, exportReference } from '../../src/domain/deletion.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { withHold } from '../../src/domain/lifecycle/hold-transitions.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { withExported, withReturn } from '../../src/domain/lifecycle/transitions.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { absentState, anna, day, enabled, epoch, planOf, smallPolicy } from './fixtures.js';

const ladder = `deactivate: {after: 100d, notices: [7d], noticeFloor: 7d, withoutNotice: wait}
  delete: {after: 120d, notices: [10d], noticeFloor: 10d}`;
const cooling = (deletion: string) => planOf(smallPolicy(ladder, `deletion: ${deletion}\n`));

describe('the cool-down', () => {
  /** Deactivated late: an outage, a hold, or a backlog. */
  const deactivatedAt = epoch + 500 * day;
  const done = (days: number) => ({
    begunAt: epoch + days * day,
    completedAt: epoch + days * day,
    inactiveSince: epoch,
    afterMs: 100 * day,
  });
  const state: LifecycleState = absentState({ rungs: { deactivate: done(500) } });
  const identity = enabled({ state: 'inactive', disabledByEngine: true });
  const next = (deletion: string, now: number) => decide({ state, plan: cooling(deletion), identity, now });

  test('counts from the deactivation: the notice comes its lead ahead of the end', () => {
    const waiting = next('{coolDown: 20d}', deactivatedAt + 1);
    expect(waiting).toMatchObject({
      kind: 'wait',
      until: deactivatedAt + 10 * day,
      next: { step: 'notice', rung: 'delete' },
    });
    expect(next('{coolDown: 20d}', deactivatedAt + 10 * day)).toMatchObject({
      kind: 'notice',
      rungAt: deactivatedAt + 20 * day,
    });
  });
  test('is thirty days by default, or the time between both rungs if that is less', () => {
    expect(next('{}', deactivatedAt + 1)).toMatchObject({ until: deactivatedAt + 10 * day });
  });
  test('changes nothing if the deactivation was in time', () => {
    const inTime: LifecycleState = absentState({ rungs: { deactivate: done(100) } });
    const decision = decide({
      state: inTime,
      plan: cooling('{coolDown: 20d}'),
      identity,
      now: epoch + 101 * day,
    });
    expect(decision).toMatchObject({ kind: 'wait', until: epoch + 110 * day });
  });
});

describe('a policy', () => {
  test.each([
    ['{action: anonymise}', /deletion.anonymousTraits: is missing/],
    ['{coolDown: 21d}', /deletion.coolDown: is longer than the time between deactivate and delete \(20d\)/],
    ['{action: forget}', /deletion.action/],
    ['{export: {taskQueue: "a b", activity: x, timeout: 1h}}', /deletion.export.taskQueue: takes letters/],
    ['{export: {taskQueue: a, timeout: 1h}}', /deletion.export.activity/],
  ])('%s is refused', (section, message) => {
    const text = `id: bad\nladder:\n  ${ladder}\ndeletion: ${section}\nrecheck: 7d\nretry: {attempts: 3, firstAfter: 10s, longestAfter: 1h}\n`;
    expect(() => parsePolicyFile(text, 'bad.yaml')).toThrow(message);
  });
  test('states what is done', () => {
    expect(planOf().deletion).toEqual({ action: 'delete', refuseIdentifiersForMs: 365 * day });
    const hook = '{taskQueue: shop, activity: keepInvoices, timeout: 1h}';
    expect(cooling(`{export: ${hook}, refuseIdentifiersFor: 90d}`).deletion).toEqual({
      action: 'delete',
      refuseIdentifiersForMs: 90 * day,
      export: { taskQueue: 'shop', activity: 'keepInvoices', timeoutMs: 3_600_000 },
    });
  });
});

test('an export is forgotten when the person returns', () => {
  const exported = withExported(absentState(), { inactiveSince: epoch, at: epoch + day });
  expect(withReturn(exported, { cause: 'activity', undo: [] }, epoch + day)).not.toHaveProperty('exported');
});

test('an export from before a hold is old after it', () => {
  const exported = withExported(absentState(), { inactiveSince: epoch, at: epoch + day });
  const hold = { actor: 'op-1', reason: 'case 12', since: epoch + 2 * day, until: epoch + 900 * day };
  expect(withHold(exported, { ...hold, kind: 'legal' })).not.toHaveProperty('exported');
});

describe('an export reference', () => {
  test('is optional', () => {
    for (const answer of [undefined, null, {}, 'text']) expect(exportReference(answer)).toBeUndefined();
    expect(exportReference({ reference: 's3://archive/2026/1' })).toBe('s3://archive/2026/1');
  });
  test.each(['anna@example.com', 'a b', '', 'x'.repeat(201), 7])('%j is refused', (reference) => {
    expect(() => exportReference({ reference })).toThrow(RangeError);
  });
});

test('anonymous traits name the identity and nothing else', () => {
  const template = { email: 'deleted-{id}@example.invalid', name: { first: '-', all: ['{id}', 3, null] } };
  expect(anonymousTraits(template, anna)).toEqual({
    email: `deleted-${anna}@example.invalid`,
    name: { first: '-', all: [anna, 3, null] },
  });
});
