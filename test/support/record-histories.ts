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
import { dayMs } from '../../src/domain/duration.js';
import { bundleWorkflows } from '../../src/runtime/workflow-bundle.js';
import { startStack } from '../../src/stack/index.js';
import { prepareDatabase } from '../../src/store/prepare.js';
import {
  holdUpdate,
  reactivateUpdate,
  releaseUpdate,
  retryParkedUpdate,
  userActivitySignal,
} from '../../src/workflows/messages.js';
import { startSmtp } from '../mail/smtp-fixture.js';
import { historiesDirectory, scrubbed, toPlain } from './histories.js';
import { type EnrolOptions, type LifecycleHandle, Live } from './live.js';
import { until } from './until.js';
import { quietLog } from './workers.js';

const policy = (id: string, rungs: string) => `
id: ${id}
allowShortDurations: true
ladder:
${rungs}
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } } }
recheck: 1h
retry: { attempts: 2, firstAfter: 1s, longestAfter: 1s }
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
const operator = { schemaVersion: 1, actor: 'op-1' } as const;
const patience = { timeoutMs: 60_000 };

interface Stage {
  readonly live: Live;
  readonly taskQueue: string;
  /** A queue whose workers meet a mail server that refuses all, until `mend` is called. */
  readonly queueWithoutMail: string;
  readonly mend: () => void;
}

/** Plays one story. @returns its workflow */
type Story = (stage: Stage) => Promise<LifecycleHandle>;

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
  return { handle, event };
}

const seenNow = (handle: LifecycleHandle) =>
  handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at: Date.now() });

const stories: Record<string, Story> = {
  async deleted(stage) {
    const { handle } = await enrol(stage);
    await handle.result();
    return handle;
  },
  async 'returned-after-revocation'(stage) {
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
  async reactivated(stage) {
    const { handle, event } = await enrol(stage, { policyId: 'recorded-deactivate' });
    await event('account_deactivated');
    await handle.executeUpdate(reactivateUpdate, { args: [{ ...operator, reason: 'asked for it' }] });
    await event('account_reactivated');
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
};

/** Writes every run of the workflow, oldest first. */
async function write(stage: Stage, name: string, handle: LifecycleHandle): Promise<void> {
  // A history that ends within a workflow task says nothing about what that task did.
  await until('sleep', async () => {
    const { raw, status } = await handle.describe();
    return (
      status.name !== 'RUNNING' ||
      ((raw.pendingActivities ?? []).length === 0 && raw.pendingWorkflowTask == null)
    );
  });
  const histories: unknown[] = [];
  let runId: string | undefined = await stage.live.runIdOf(handle);
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
  try {
    await prepareDatabase({ url: stack.info.postgres.runtimeUrl, migrationUrl: stack.info.postgres.url });
    const workflowBundlePath = join(directory, 'workflow-bundle.js');
    await writeFile(workflowBundlePath, (await bundleWorkflows()).code);
    const live = await Live.begin({ stack: stack.info, environment: stack.environment, workflowBundlePath });
    for (const text of [whole, revokeOnly, deactivateOnly]) await live.publish(text);
    const stage: Stage = {
      live,
      taskQueue: await live.startWorkers(),
      queueWithoutMail: await live.startWorkers({ DORMOUSE_SMTP_URL: smtp.url }),
      mend: () => {
        isDown = false;
      },
    };
    await mkdir(historiesDirectory, { recursive: true });
    await Promise.all(
      Object.entries(stories)
        .filter(([name]) => names.length === 0 || names.includes(name))
        .map(async ([name, story]) => write(stage, name, await story(stage))),
    );
    await live.end();
  } finally {
    await smtp.close();
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

await record(process.argv.slice(2));
// Temporal's runtime would keep the process.
process.exit();
