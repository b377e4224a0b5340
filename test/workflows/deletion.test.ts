/** Deletion in parts, in skipped time on the real stack: cool-down, the app's export, the shell, and the signed receipt. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { openReceipt } from '../../src/deletion/receipt.js';
import { isAnonymised, isBuried } from '../../src/deletion/tombstones-table.js';
import type { ExportAnswer, ExportRequest } from '../../src/domain/deletion.js';
import { dayMs } from '../../src/domain/duration.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { retryParkedUpdate } from '../../src/workflows/messages.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { recordSigns } from '../support/record-signs.js';
import { until } from '../support/until.js';

const appQueue = `app-${randomUUID().slice(0, 8)}`;
const signingKey = generateSigningKey('ed25519');
const policy = (id: string, deletion: string) => `
id: ${id}
ladder:
  deactivate: { after: 10d, notices: [2d], noticeFloor: 2d, withoutNotice: wait }
  delete: { after: 40d, notices: [5d], noticeFloor: 5d }
deletion: ${deletion}
recheck: 7d
retry: { attempts: 2, firstAfter: 10s, longestAfter: 10s }
`;
const hook = `{ taskQueue: ${appQueue}, activity: keepInvoices, timeout: 1h }`;

let journey: Journey;
let taskQueue: string;
let app: { worker: Worker; running: Promise<void> };
/** The requests to the app, and its answers. */
const asked: ExportRequest[] = [];
let answer: (request: ExportRequest) => Promise<ExportAnswer | undefined>;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers({}, { extras: { signingKey } });
  await journey.publish(policy('keeps', `{ coolDown: 25d, export: ${hook} }`));
  const traits = '{ email: "deleted-{id}@example.invalid" }';
  await journey.publish(policy('empties', `{ action: anonymise, anonymousTraits: ${traits} }`));
  // The app's own worker, with the one activity that it registers.
  const worker = await Worker.create({
    connection: journey.native,
    taskQueue: appQueue,
    activities: {
      async keepInvoices(request: ExportRequest) {
        asked.push(request);
        return answer(request);
      },
    },
  });
  app = { worker, running: worker.run() };
});
afterEach(async () => {
  asked.splice(0);
  await journey.forgetLifecycles();
});
afterAll(async () => {
  app.worker.shutdown();
  await app.running;
  await journey.end();
});

async function enrolled(policyId: string) {
  const person = await journey.people.create('kept');
  const startedAt = await journey.now();
  await journey.dateIdentity(person.id, startedAt);
  const handle = await journey.enrol(person.id, taskQueue, { policyId, activity: { human: startedAt } });
  return { person, handle, startedAt, toDay: (days: number) => journey.travelTo(startedAt + days * dayMs) };
}
const exists = async ({ id }: Person) =>
  (await journey.people.identities.getIdentity({ id }, { validateStatus: () => true })).status === 200;
const auditOf = async ({ id }: Person) => lines(await journey.audit(id));
const outcomeOf = async (handle: LifecycleHandle) => (await handle.result()).outcome;

describe('with an export by the app', () => {
  test('the app is asked before anything is gone, and the receipt says where it keeps what it kept', async () => {
    answer = async ({ identityId }) => {
      expect(await exists({ id: identityId } as Person)).toBe(true);
      return { reference: 'archive:2026/77' };
    };
    const { person, handle, toDay } = await enrolled('keeps');
    await toDay(39);
    expect(asked).toEqual([]);
    await toDay(41);
    expect(await outcomeOf(handle)).toBe('deleted');
    expect(asked).toEqual([
      {
        schemaVersion: 1,
        identityId: person.id,
        action: 'delete',
        key: expect.stringContaining(`${person.id}/`),
      },
    ]);
    expect(await exists(person)).toBe(false);
    expect((await auditOf(person)).slice(-2)).toEqual(['40 data_exported', '40 account_deleted']);
    const rows = await journey.audit(person.id);
    const { detail } = rows.at(-1) ?? expect.fail('no audit');
    expect(detail).toMatchObject({ export: 'archive:2026/77', noticesAccepted: 1 });
    const receipt = await openReceipt(String(detail.receipt), [signingKey]);
    expect(receipt).toMatchObject({
      identityId: person.id,
      action: 'delete',
      noticesAccepted: 1,
      export: 'archive:2026/77',
      policy: { id: 'keeps' },
    });
    expect(await openReceipt(String(detail.receipt), [generateSigningKey('ed25519')])).toBeUndefined();
    expect(await isBuried(journey.pool, person.id)).toBe(true);
  });

  test('nothing is deleted while the export fails; retried by an operator, it goes on', async () => {
    answer = () => Promise.reject(ApplicationFailure.create({ message: 'the archive is full' }));
    const { person, handle, toDay } = await enrolled('keeps');
    await toDay(41);
    const parked = await until(
      'the export is parked',
      async () => (await readStanding(journey.pool, person.id))?.parked,
    );
    expect(parked).toMatchObject({ step: 'export', errorType: 'ExportFailed' });
    expect(parked.wayOut).toContain('task queue that the policy names');
    expect(await exists(person)).toBe(true);
    expect(asked).toHaveLength(2);
    // The same key for every attempt, so that the app keeps one export.
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
    answer = () => Promise.resolve(undefined);
    await handle.executeUpdate(retryParkedUpdate, { args: [{ schemaVersion: 1, actor: 'op-1' }] });
    expect(await outcomeOf(handle)).toBe('deleted');
    expect(await exists(person)).toBe(false);
  });

  test('whoever is seen while the app exports is not deleted', async () => {
    answer = async ({ identityId }) => {
      const at = await journey.now();
      await recordSigns(journey.pool, [{ identityId, at, kind: 'human', source: 'app' }]);
      return {};
    };
    const { person, toDay } = await enrolled('keeps');
    await toDay(45);
    expect(asked).toHaveLength(1);
    expect(await exists(person)).toBe(true);
    expect((await readStanding(journey.pool, person.id))?.next).toMatchObject({
      rung: 'delete',
      step: 'notice',
    });
    expect(await auditOf(person)).not.toContain('40 account_deleted');
  });
});

test('anonymising ends the lifecycle and leaves a shell without a lifecycle', async () => {
  const { person, handle, toDay } = await enrolled('empties');
  await toDay(41);
  expect(await outcomeOf(handle)).toBe('deleted');
  expect((await auditOf(person)).at(-1)).toBe('40 account_anonymised');
  const { data } = await journey.people.identities.getIdentity({ id: person.id });
  expect(data).toMatchObject({
    state: 'inactive',
    traits: { email: `deleted-${person.id}@example.invalid` },
  });
  expect(await isAnonymised(journey.pool, person.id)).toBe(true);
  // If a mistake enrols the shell again, it is recognised and left as it is.
  const again = await journey.enrol(person.id, taskQueue, { policyId: 'empties' });
  expect(await outcomeOf(again)).toBe('gone');
  expect((await journey.people.identities.getIdentity({ id: person.id })).status).toBe(200);
});
