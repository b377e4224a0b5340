/**
 * Every recorded history goes through the present workflow code without a difference: whoever sleeps in Temporal when
 * a new build is rolled out wakes up in it. Where this fails, put the change behind `patched()`.
 */
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';
import { decodedPayloads, fromPlain, type RecordedHistory, readHistories } from '../support/histories.js';
import { quietLog } from '../support/workers.js';

quietLog();
const histories: RecordedHistory[] = await readHistories();
let workflowBundle: { codePath: string };
let traced: { code: string };
beforeAll(async () => {
  workflowBundle = { codePath: inject('workflowBundlePath') };
  traced = await bundleWorkflows(undefined, 'traced');
});

const replay = (history: unknown) => Worker.runReplayHistory({ workflowBundle }, fromPlain(history));

interface Event {
  eventType: string;
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  timerStartedEventAttributes?: object;
}

test('the corpus covers the courses that a lifecycle takes', () => {
  expect(histories.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'aged-run-1',
      'anonymised',
      'buried',
      'buried-and-back',
      'cancelled',
      'missing-and-back',
      'notice-fails-again',
      'restarted',
      'warning-comes-back',
      'deleted-2-run-1',
      'deletion-called-back',
      'held-by-breaker',
      'parked-and-skipped',
      'reactivated-2-run-1',
      'reactivated-by-link-run-1',
      'returned-after-revocation-2',
      'continued-as-new-run-1',
      'continued-as-new-run-2',
      'deleted-run-1',
      'deleted-run-2',
      'held-and-released',
      'parked-and-retried',
      'reactivated',
      'returned-after-revocation',
      'rollout',
      'rollout-continued-run-1',
      'rollout-continued-run-2',
    ]),
  );
});

describe.each(histories)('$name', ({ json }) => {
  test('replays', async () => {
    await replay(JSON.parse(json));
  });

  test('replays in workers that trace', async () => {
    await Worker.runReplayHistory({ workflowBundle: traced }, fromPlain(JSON.parse(json)));
  });

  test('holds no personal data', () => {
    const payloads = decodedPayloads(JSON.parse(json));
    expect(payloads.length).toBeGreaterThan(3);
    // A policy and its version are written `default@3`, and one has a pattern for what stays of the anonymised.
    const suspicious = [json, ...payloads].flatMap((text) =>
      text
        .replaceAll(/"[a-z][a-z0-9-]*@\d+"|"deleted-\{id\}@example\.invalid"/g, '')
        .match(/[^"]{0,40}(@|%40|example\.com)[^"]{0,40}/g),
    );
    expect(suspicious.filter((match) => match !== null)).toEqual([]);
  });
});

describe('a history that the code would not have written is refused', () => {
  const whole = (): { events: Event[] } => {
    const found = histories.find(({ name }) => name === 'deleted-run-1');
    if (found === undefined) throw new Error('no recorded history: npm run histories:record');
    return JSON.parse(found.json);
  };
  const scheduled = (history: { events: Event[] }, name: string) => {
    const event = history.events.find(
      (candidate) => candidate.activityTaskScheduledEventAttributes?.activityType.name === name,
    )?.activityTaskScheduledEventAttributes;
    if (event === undefined) throw new Error(`the history has no ${name}`);
    return event;
  };

  test('another activity', async () => {
    const history = whole();
    scheduled(history, 'endTokens').activityType.name = 'deleteIdentity';
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  test('an activity in the place of a timer', async () => {
    const history = whole();
    const index = history.events.findIndex(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
    const donor = history.events.find((event) => event.activityTaskScheduledEventAttributes);
    const timer = history.events[index];
    if (timer === undefined || donor === undefined) throw new Error('the history has no timer');
    const { eventType: _type, timerStartedEventAttributes: _attributes, ...rest } = timer;
    history.events[index] = {
      ...rest,
      eventType: donor.eventType,
      activityTaskScheduledEventAttributes: structuredClone(scheduled(history, 'assess')),
    };
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });
});
