/**
 * Records the replay corpus anew: `npm run histories:record`.
 *
 * Starts an ephemeral stack of its own, plays a few lifecycles in seconds with the real worker code, and writes the
 * history of each run to test/histories/<story>.json. Takes about a minute. Replay holds every later build to these
 * files, so a new file is added for each new course of the workflow, and old ones stay: name stories after a change
 * (`deleted-2`) rather than recording over them, unless the workflow was never released with the old course.
 *
 * With names as arguments only these stories are written.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../dev/stack/index.js';
import { noteWitness } from '../../src/absence/witnesses-table.js';
import { proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { lockBreaker } from '../../src/breaker/trips-table.js';
import { dayMs } from '../../src/domain/duration.js';
import { recordBounce } from '../../src/mail/bounces-table.js';
import { listMails } from '../../src/mail/mails-table.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';
import {
  holdUpdate,
  lookAgainSignal,
  reactivateUpdate,
  releaseUpdate,
  retryParkedUpdate,
  skipParkedUpdate,
  standingQuery,
  userActivitySignal,
} from '../../src/workflows/messages.js';
import type { policyRollout } from '../../src/workflows/policy-rollout.js';
import {
  pauseRolloutUpdate,
  policyRolloutWorkflowType,
  type RolloutInput,
  resumeRolloutUpdate,
  rollBackUpdate,
  rolloutWorkflowId,
} from '../../src/workflows/rollout-messages.js';
import { startSmtp } from '../mail/smtp-fixture.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { Harness } from './harness/harness.js';
import type { EnrolOptions, LifecycleHandle } from './harness/lifecycles.js';
import { realTime } from './harness/time.js';
import { historiesDirectory, scrubbed, toPlain } from './histories.js';
import { forgetWitnesses } from './kratos-database.js';
import { notFound } from './not-found.js';
import { isAsleep, isRetried } from './under-way.js';
import { until } from './until.js';
import { quietLog } from './workers.js';

const policy = (id: string, rungs: string, retry = 'attempts: 2, firstAfter: 1s, longestAfter: 1s') => `
id: ${id}
allowShortDurations: true
ladder:
${rungs}
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } } }
recheck: 1h
retry: { ${retry} }
`;
const revoke =
  '  revoke: { after: 7s, notices: [2s], noticeFloor: 2s, withoutNotice: proceed, mailAfter: true }\n';
const deactivate =
  '  deactivate: { after: 12s, notices: [2s], noticeFloor: 2s, withoutNotice: wait, mailAfter: true }\n';
const whole = policy(
  'recorded-whole',
  `  warn: { after: 2s }
  suspend: { after: 4s, noticeFloor: 1s }
${revoke}  winback: { after: 9s }
${deactivate}  delete: { after: 18s, notices: [4s, 2s], noticeFloor: 4s }`,
);
/** Stories about one rung have a ladder of that rung, so that the files stay small. */
const revokeOnly = policy('recorded-revoke', revoke);
const deactivateOnly = policy('recorded-deactivate', deactivate);
const linked = policy('recorded-linked', `${deactivate}selfService:\n  reactivation: { linkLifetime: 1h }`);
const deletion = '  delete: { after: 8s, notices: [4s, 2s], noticeFloor: 4s }';
const deleteOnly = policy('recorded-delete', deletion, 'attempts: 2, firstAfter: 1h, longestAfter: 1h');
const anonymiseOnly = policy(
  'recorded-anonymise',
  `${deletion}
deletion: { action: anonymise, anonymousTraits: { email: "deleted-{id}@example.invalid" } }`,
);
/** Looked at each second, and nothing is due for an hour. */
const absent = (id: string, grace: string) =>
  policy(id, '  warn: { after: 1h }').replace('recheck: 1h', 'recheck: 1s') +
  `absence: { looks: 2, over: 1s, grace: ${grace} }\n`;
const missing = absent('recorded-missing', '1h');
const buried = absent('recorded-buried', '1s');
const undeliverable = policy('recorded-undeliverable', deactivate.replace('12s', '4s')).replace(
  'recheck: 1h',
  'recheck: 1s',
);
const unwarned = policy(
  'recorded-unwarned',
  '  warn: { after: 2s }\n  suspend: { after: 12s, noticeFloor: 2s }',
).replace('recheck: 1h', 'recheck: 1s');
/** Played when the others are over: a trip stops everybody. */
const fused = policy('recorded-fused', deactivate.replace('12s', '4s'));
const operator = { schemaVersion: 1, actor: 'op-1' } as const;
const patience = { timeoutMs: 60_000 };

interface Stage {
  readonly live: Harness;
  readonly taskQueue: string;
  /** A queue whose workers meet a mail server that refuses all, until `mend` is called. */
  readonly queueWithoutMail: string;
  readonly mend: () => void;
  readonly queueNeverMailing: string;
  /** A queue whose workers reach Kratos through `kratos`. */
  readonly queueBehindProxy: string;
  readonly kratos: FaultProxy;
}

/** What is written of a workflow: all its runs. */
type Recorded = Pick<LifecycleHandle, 'workflowId' | 'describe'>;

/** Plays one story. @returns its workflow */
type Story = (stage: Stage) => Promise<Recorded>;

async function enrol({ live, taskQueue }: Stage, options: EnrolOptions & { queue?: string } = {}) {
  const { id } = await live.people.create('recorded');
  const { queue, ...more } = options;
  const handle = await live.enrol(id, queue ?? taskQueue, {
    policyId: 'recorded-whole',
    activity: { human: Date.now() },
    ...more,
  });
  const event = (eventType: string) =>
    until(eventType, async () => (await live.audit(id)).some((row) => row.eventType === eventType), patience);
  return { id, handle, event };
}

const seenNow = (handle: LifecycleHandle) =>
  handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: Date.now() });

const stories: Record<string, Story> = {
  async 'deleted-2'(stage) {
    const { handle } = await enrol(stage);
    await handle.result();
    return handle;
  },
  async 'returned-after-revocation-2'(stage) {
    const { handle, event } = await enrol(stage, { policyId: 'recorded-revoke' });
    await event('tokens_revoked_stale');
    await seenNow(handle);
    await event('returned');
    return handle;
  },
  async 'held-and-released'(stage) {
    const { handle, event } = await enrol(stage, { policyId: 'recorded-revoke' });
    await event('notice_sent');
    await handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, reason: 'leave', until: Date.now() + dayMs }],
    });
    await handle.executeUpdate(releaseUpdate, { args: [{ ...operator, reason: 'back early' }] });
    await event('tokens_revoked_stale');
    return handle;
  },
  async 'reactivated-2'(stage) {
    const { handle, event } = await enrol(stage, { policyId: 'recorded-deactivate' });
    await event('account_deactivated');
    await handle.executeUpdate(reactivateUpdate, { args: [{ ...operator, reason: 'asked for it' }] });
    await event('account_reactivated');
    return handle;
  },
  async 'reactivated-by-link'(stage) {
    const { handle, event } = await enrol(stage, { policyId: 'recorded-linked' });
    await event('account_deactivated');
    const { since } = await handle.query(standingQuery);
    const reason = 'link in a mail';
    await handle.executeUpdate(reactivateUpdate, { args: [{ ...operator, reason, linkFor: since }] });
    await event('account_reactivated');
    return handle;
  },
  async anonymised(stage) {
    const { handle } = await enrol(stage, { policyId: 'recorded-anonymise' });
    await handle.result();
    return handle;
  },
  async 'deletion-called-back'(stage) {
    const options = { policyId: 'recorded-delete', queue: stage.queueBehindProxy };
    const { id, handle, event } = await enrol(stage, options);
    stage.kratos.inject({ kind: 'reset' }, new RegExp(`^DELETE /admin/identities/${id}$`));
    await until('an attempt that failed', () => isRetried(handle, 'deleteIdentity'), patience);
    await handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, reason: 'leave', until: Date.now() + dayMs }],
    });
    await event('hold_set');
    return handle;
  },
  async 'parked-and-skipped'(stage) {
    const { handle, event } = await enrol(stage, { queue: stage.queueNeverMailing });
    await event('step_parked');
    await handle.executeUpdate(skipParkedUpdate, { args: [{ ...operator, reason: 'told by hand' }] });
    await event('actions_suspended');
    return handle;
  },
  async 'parked-and-retried'(stage) {
    const { handle, event } = await enrol(stage, { queue: stage.queueWithoutMail });
    await event('step_parked');
    stage.mend();
    await handle.executeUpdate(retryParkedUpdate, { args: [operator] });
    await event('inactivity_warned');
    return handle;
  },
  async 'continued-as-new'(stage) {
    const { handle, event } = await enrol(stage, { historyLimit: 40 });
    await event('actions_suspended');
    const first = await stage.live.runIdOf(handle);
    await handle.executeUpdate(holdUpdate, {
      args: [{ ...operator, reason: 'leave', until: Date.now() + dayMs }],
    });
    await until('another run', async () => {
      await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: 1 });
      return (await stage.live.runIdOf(handle)) !== first;
    });
    return handle;
  },
  async cancelled(stage) {
    const { handle, event } = await enrol(stage);
    await event('inactivity_warned');
    await handle.cancel();
    await event('lifecycle_cancelled');
    await until('its end', async () => (await handle.describe()).status.name === 'CANCELLED', patience);
    return handle;
  },
  async restarted(stage) {
    const { id, handle, event } = await enrol(stage);
    await event('inactivity_warned');
    await handle.cancel();
    await event('lifecycle_cancelled');
    await until('its end', async () => (await handle.describe()).status.name === 'CANCELLED', patience);
    await stage.live.enrol(id, stage.taskQueue, { policyId: 'recorded-whole' });
    await event('actions_suspended');
    return handle;
  },
  async aged(stage) {
    const { handle } = await enrol(stage, { policyId: 'recorded-missing', runAgeLimitMs: 3_000 });
    const first = await stage.live.runIdOf(handle);
    await until('another run', async () => (await stage.live.runIdOf(handle)) !== first, patience);
    return handle;
  },
  async 'warning-comes-back'(stage) {
    const { pool } = stage.live;
    const { id, handle, event } = await enrol(stage, { policyId: 'recorded-unwarned' });
    await event('inactivity_warned');
    const messageId = (await listMails(pool, id)).at(-1)?.messageId ?? '';
    const bounce = { messageId, kind: 'hard', code: '5.4.5' } as const;
    await recordBounce(pool, bounce, { source: 'recorded', now: Date.now() });
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await event('notice_bounced');
    await event('actions_suspended');
    return handle;
  },
  async 'notice-fails-again'(stage) {
    const { id } = await stage.live.people.create('recorded', { hasAddress: false });
    const handle = await stage.live.enrol(id, stage.taskQueue, {
      policyId: 'recorded-undeliverable',
      activity: { human: Date.now() },
    });
    const seen = new Set<number>();
    await until(
      'three notices that reached nobody',
      async () => {
        const { notices } = await handle.query(standingQuery);
        for (const { at } of notices) seen.add(at);
        return seen.size >= 3;
      },
      patience,
    );
    return handle;
  },
  async rollout(stage) {
    const { handle } = await rollOut(stage, 'recorded-rolled', {});
    await handle.executeUpdate(pauseRolloutUpdate, { args: [{ ...operator, reason: 'complaints' }] });
    await handle.executeUpdate(resumeRolloutUpdate, { args: [{ ...operator, reason: 'checked' }] });
    await handle.executeUpdate(rollBackUpdate, { args: [{ ...operator, reason: 'too harsh' }] });
    await handle.result();
    return handle;
  },
  async 'rollout-continued'(stage) {
    const { handle } = await rollOut(stage, 'recorded-rolled-on', { historyLimit: 12, settleMs: 3_000 });
    await handle.result();
    return handle;
  },
};

/** Two people sleep towards a step in an hour, which the next version has in half an hour. */
async function rollOut({ live, taskQueue }: Stage, policyId: string, more: Partial<RolloutInput>) {
  const version = (after: string) => policy(policyId, `  warn: { after: ${after} }`);
  await live.publish(version('1h'));
  for (const name of ['rolled', 'rolled-too']) {
    const { id } = await live.people.create(name);
    await live.enrol(id, taskQueue, { policyId, activity: { human: Date.now() } });
    await until('a standing', async () => (await readStanding(live.pool, id))?.next !== undefined, patience);
  }
  await live.publish(version('30m'));
  const handle = await live.client.workflow.start<typeof policyRollout>(policyRolloutWorkflowType, {
    workflowId: rolloutWorkflowId(taskQueue, policyId),
    taskQueue,
    args: [{ schemaVersion: 1, policyId, version: 2, settleMs: 10_000, ...more }],
  });
  return { handle };
}

/** An identity that Kratos no longer knows, and another as a witness that it is the same Kratos. */
async function vanished(stage: Stage, policyId: string) {
  const { live, kratos } = stage;
  await forgetWitnesses(live.pool);
  const other = await live.people.create('other');
  const { data } = await live.people.identities.getIdentity({ id: other.id });
  const createdAt = Date.parse(data.created_at ?? '');
  await noteWitness(live.pool, { identityId: other.id, createdAt, seenAt: Date.now() });
  const enrolled = await enrol(stage, { policyId, queue: stage.queueBehindProxy });
  await enrolled.event('lifecycle_started');
  kratos.inject(notFound, new RegExp(`GET /admin/identities/${enrolled.id}`));
  await enrolled.handle.signal(lookAgainSignal, { schemaVersion: 1 });
  await enrolled.event('identity_missing');
  return enrolled;
}

/** After all others, one at a time. */
const storiesAlone: Record<string, Story> = {
  async 'missing-and-back'(stage) {
    const { handle, event } = await vanished(stage, 'recorded-missing');
    stage.kratos.heal();
    await event('identity_reappeared');
    return handle;
  },
  async buried(stage) {
    const { handle } = await vanished(stage, 'recorded-buried');
    await handle.result();
    stage.kratos.heal();
    return handle;
  },
  async 'buried-and-back'(stage) {
    const { id, handle, event } = await vanished(stage, 'recorded-buried');
    await handle.result();
    stage.kratos.heal();
    await stage.live.enrol(id, stage.queueBehindProxy, { policyId: 'recorded-buried' });
    await event('identity_reappeared');
    return handle;
  },
  async 'held-by-breaker'(stage) {
    const { pool } = stage.live;
    const { handle, event } = await enrol(stage, { policyId: 'recorded-fused' });
    const [actor, reason] = ['op-1', 'incident 42'];
    const wanted = {
      scope: 'all',
      cause: 'operator',
      why: reason,
      trippedAt: Date.now(),
      operators: 1,
    } as const;
    const { id: tripId } = await inTransaction(pool, async (client) => {
      await lockBreaker(client);
      return tripAndAudit(client, wanted, actor);
    });
    await event('held_by_breaker');
    await proposeRelease(pool, { tripId, actor, reason, at: Date.now() });
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await event('account_deactivated');
    return handle;
  },
};

/** Writes every run of the workflow, oldest first. */
async function write(stage: Stage, name: string, handle: Recorded): Promise<void> {
  // A history that ends within a workflow task says nothing about what that task did.
  await until('sleep', () => isAsleep(handle));
  const histories: unknown[] = [];
  let runId: string | undefined = (await handle.describe()).runId;
  while (runId !== undefined && runId !== '') {
    const history = await stage.live.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    histories.unshift(toPlain(history));
    runId =
      history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
  }
  for (const [index, history] of histories.entries()) {
    const file = `${historiesDirectory}${histories.length === 1 ? name : `${name}-run-${index + 1}`}.json`;
    await writeFile(file, `${JSON.stringify(scrubbed(history))}\n`);
    console.log(`wrote ${file}`);
  }
}

async function record(names: readonly string[]): Promise<void> {
  quietLog();
  const directory = await mkdtemp(join(tmpdir(), 'dormouse-histories-'));
  const stack = await startStack({
    dataDirectory: join(directory, 'stack'),
    ephemeral: true,
    worker: false,
    gateway: false,
    report: (line) => console.log(line),
  });
  let isDown = true;
  const smtp = await startSmtp({ connect: () => (isDown ? { code: 421, text: 'try later' } : undefined) });
  const refusing = await startSmtp({ connect: () => ({ code: 421, text: 'try later' }) });
  const kratos = await startFaultProxy(stack.info.kratos.adminUrl);
  try {
    await prepareDatabase({ url: stack.info.postgres.runtimeUrl, migrationUrl: stack.info.postgres.url });
    const workflowBundlePath = join(directory, 'workflow-bundle.js');
    await writeFile(workflowBundlePath, (await bundleWorkflows()).code);
    const live = new Harness({
      ...{ stack: stack.info, environment: stack.environment, workflowBundlePath },
      time: await realTime(stack.info),
    });
    const ofOneRung = [revokeOnly, deactivateOnly, linked, deleteOnly, anonymiseOnly];
    for (const text of [whole, ...ofOneRung, missing, buried, undeliverable, unwarned, fused])
      await live.publish(text);
    const stage: Stage = {
      live,
      taskQueue: await live.startWorkers(),
      queueWithoutMail: await live.startWorkers({ DORMOUSE_SMTP_URL: smtp.url }),
      mend: () => {
        isDown = false;
      },
      queueNeverMailing: await live.startWorkers({ DORMOUSE_SMTP_URL: refusing.url }),
      queueBehindProxy: await live.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url }),
      kratos,
    };
    await mkdir(historiesDirectory, { recursive: true });
    const isWanted = ([name]: [string, Story]) => names.length === 0 || names.includes(name);
    const play = async ([name, story]: [string, Story]) => write(stage, name, await story(stage));
    await Promise.all(Object.entries(stories).filter(isWanted).map(play));
    for (const entry of Object.entries(storiesAlone).filter(isWanted)) await play(entry);
    await live.end();
  } finally {
    await Promise.all([smtp.close(), refusing.close(), kratos.close()]);
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

await record(process.argv.slice(2));
// Temporal's runtime would keep the process.
process.exit();
