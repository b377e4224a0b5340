/** Entry point: the worker. Thin; what it runs is in worker/, workflows/ and activities/. */
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { readAuditKey } from './audit/audit-key.js';
import { createHeadKeeper } from './audit/head-keeper.js';
import { monthReportSchedule, reportLooksEveryMs } from './audit/month-schedule.js';
import { startReleaseWake } from './breaker/release-wake.js';
import { readConfig } from './config.js';
import { parseDuration } from './domain/duration.js';
import { createActivityMetrics } from './observability/activity-metrics.js';
import { observe } from './observability/observe.js';
import { watchPace } from './observability/pace-metrics.js';
import { prepareSdkMetrics } from './observability/sdk-metrics.js';
import { createPacers } from './pacing/start-pacers.js';
import { startWithPolicy } from './policies/start.js';
import { createPool } from './postgres/pool.js';
import { prepareDatabase } from './postgres/prepare.js';
import { mayChangeAudit } from './postgres/roles.js';
import { systemClock } from './process/clock.js';
import { runEntry } from './process/entry.js';
import { startHealthServer } from './process/health.js';
import { createLogger, type Logger } from './process/logger.js';
import { onShutdown } from './process/shutdown.js';
import { connectionOptions } from './process/temporal-options.js';
import { ensureReconcileSchedule } from './reconciliation/schedule.js';
import { startRollouts } from './rollout/start-pass.js';
import { loadSender } from './security-events/load.js';
import { deliverySchedules } from './security-events/schedules.js';
import { sessionSweep } from './sessions/schedule.js';
import { startClaimSweep } from './signs/claim-sweep.js';
import { tellLifecycle } from './signs/tell-lifecycle.js';
import { loadSources } from './sources/load-sources.js';
import { sourceSchedules } from './sources/schedules.js';
import { personalTokenSweep } from './tokens/personal/schedule.js';
import { refreshSweep } from './tokens/refresh/schedule.js';
import { loadTokenSources } from './tokens/sourced/load.js';
import { tokenSourceSchedules } from './tokens/sourced/schedule.js';
import { createActivitySet } from './worker/activity-set.js';
import { buildIdOf, deploymentOptions, promoteAtStart } from './worker/deployment.js';
import { observeWorker } from './worker/observed-worker.js';
import { patchActivation } from './worker/patch-activation.js';
import { startRetention } from './worker/retention-pass.js';
import { workerVariables } from './worker/variables.js';
import { workerLimits } from './worker/worker-limits.js';
import { startWorkers } from './worker/workers.js';
import { loadWorkflowBundle } from './worker/workflow-bundle.js';

await runEntry('dormouse-worker', main);

async function main(): Promise<void> {
  const config = readConfig(workerVariables);
  const log = createLogger('dormouse-worker', config.DORMOUSE_LOG_LEVEL);
  // Temporal's own signal handling would race with ours.
  const listen = config.DORMOUSE_METRICS_LISTEN;
  const sdk = listen && (await prepareSdkMetrics());
  Runtime.install({
    shutdownSignals: [],
    logger: temporalLogger(log),
    ...(sdk && { telemetryOptions: { metrics: sdk.exporter } }),
  });
  const observed = await observe('worker', listen, sdk?.read);

  const sender = await loadSender(config);
  const auditKeyText = config.DORMOUSE_AUDIT_SIGNING_KEY;
  const auditKey = auditKeyText === undefined ? undefined : readAuditKey(auditKeyText);
  const sourcesFile = config.DORMOUSE_ACTIVITY_SOURCES_FILE;
  const sources = sourcesFile === undefined ? [] : await loadSources(sourcesFile);
  const tokenFile = config.DORMOUSE_TOKEN_SOURCES_FILE;
  const tokenSources = tokenFile === undefined ? [] : await loadTokenSources(tokenFile);
  await prepareDatabase({
    url: config.DORMOUSE_POSTGRES_URL,
    migrationUrl: config.DORMOUSE_POSTGRES_MIGRATION_URL,
  });
  const pool = createPool({
    url: config.DORMOUSE_POSTGRES_URL,
    max: 20,
    onError: (error) => log.warn({ err: error }, 'idle PostgreSQL connection failed'),
  });
  if (await mayChangeAudit(pool)) {
    log.warn(
      'the role of DORMOUSE_POSTGRES_URL could change the audit log: see docs/audit.md, "Three roles"',
    );
  }
  const policyId = config.DORMOUSE_POLICY_ID;
  const policy = await startWithPolicy({ pool, log, file: config.DORMOUSE_POLICY_FILE, policyId });

  const [workflowBundle, connection] = await Promise.all([
    loadWorkflowBundle(),
    NativeConnection.connect(connectionOptions(config)),
  ]);
  const headKeeper = auditKey && createHeadKeeper({ pool, key: auditKey, clock: systemClock, log });
  const pacePool = createPool({
    url: config.DORMOUSE_POSTGRES_URL,
    max: 2,
    statementTimeoutMs: 5_000,
    onError: (error) => log.warn({ err: error }, 'idle PostgreSQL connection failed'),
  });
  const pacers = createPacers(
    pacePool,
    { kratos: config.DORMOUSE_RATE_KRATOS, hydra: config.DORMOUSE_RATE_HYDRA },
    (error) => log.warn({ err: error }, 'the shared pace could not be read, so the last one is kept'),
  );
  watchPace(observed.registry, pacers);
  const activitySet = createActivitySet(config, pool, undefined, sources, {
    tokenSources,
    pacers,
    ...(sender && { sender }),
    ...(auditKey && { signingKey: auditKey }),
    ...(headKeeper && { onAppended: headKeeper.noteAppended }),
  });
  const taskQueue = config.DORMOUSE_TASK_QUEUE;
  const buildId = config.DORMOUSE_WORKER_VERSIONING === 'on' ? await buildIdOf(workflowBundle) : undefined;
  const workers = await startWorkers({
    connection,
    namespace: config.DORMOUSE_TEMPORAL_NAMESPACE,
    taskQueue,
    workflowBundle,
    activities: activitySet.activities,
    limits: workerLimits(config),
    metrics: createActivityMetrics(observed.registry),
    patchActivation: patchActivation(config.DORMOUSE_ROLLBACK_TO),
    ...(buildId === undefined ? {} : { deployment: deploymentOptions(taskQueue, buildId) }),
  });
  const client = new Client({ connection, namespace: config.DORMOUSE_TEMPORAL_NAMESPACE });
  if (buildId !== undefined) {
    const current = await promoteAtStart({ client, taskQueue, buildId });
    if (current !== buildId) {
      log.warn(
        { buildId, current },
        'another build is the current one, so these workers get no tasks: see docs/upgrades.md',
      );
    }
  }
  await ensureReconcileSchedule(client, config);
  await sessionSweep.sync(client, taskQueue, parseDuration(config.DORMOUSE_SESSIONS_EVERY));
  await personalTokenSweep.sync(client, taskQueue, parseDuration(config.DORMOUSE_PERSONAL_TOKENS_EVERY));
  await refreshSweep.sync(client, taskQueue, parseDuration(config.DORMOUSE_REFRESH_EVERY));
  const reportEvery = config.DORMOUSE_REPORT_RECIPIENTS === undefined ? undefined : reportLooksEveryMs;
  await monthReportSchedule.sync(client, taskQueue, reportEvery);
  // Without a file the schedules stay as they are: another worker may have the file.
  if (sourcesFile !== undefined) {
    const wanted = sources.map(({ source }) => source);
    await sourceSchedules.sync(client, config.DORMOUSE_TASK_QUEUE, wanted);
  }
  if (tokenFile !== undefined) {
    const wanted = tokenSources.map(({ source }) => source);
    await tokenSourceSchedules.sync(client, taskQueue, wanted);
  }
  // Signs entries that a killed worker appended but did not sign.
  headKeeper?.noteAppended();
  if (sender !== undefined) {
    await deliverySchedules.sync(client, config.DORMOUSE_TASK_QUEUE, sender.receivers);
  }
  const place = { taskQueue: config.DORMOUSE_TASK_QUEUE, policyId };
  const sweep = startClaimSweep({
    pool,
    tell: (sign) => tellLifecycle(client.workflow, place, sign),
    onPass: (outcome) => log.warn(outcome, 'signs of life taken over that nobody had told the workflow'),
    onError: (error) => log.warn({ err: error }, 'open signs of life could not be taken over'),
  });
  const releases = startReleaseWake({
    pool,
    workflows: client.workflow,
    onPass: (outcome) => log.info(outcome, 'woken after a release of the breaker'),
    onError: (error) => log.warn({ err: error }, 'nobody could be woken after a release of the breaker'),
  });
  const rollouts = startRollouts({
    pool,
    client,
    taskQueue,
    onPass: (versions) => log.info({ versions }, 'new versions of policies are taken to people'),
    onError: (error) => log.warn({ err: error }, 'a new version of a policy could not be taken to people'),
  });
  const retention = startRetention({
    pool,
    retention: {
      mailsMs: config.DORMOUSE_KEEP_MAILS,
      operationsMs: config.DORMOUSE_KEEP_OPERATIONS,
      requestLogMs: config.DORMOUSE_KEEP_REQUEST_LOG,
    },
    onPass: (outcome) => log.info(outcome, 'rows that have served their time were forgotten'),
    onError: (error) => log.warn({ err: error }, 'rows that have served their time could not be forgotten'),
  });
  const observing =
    listen &&
    observeWorker({
      observed,
      connection,
      client,
      taskQueue,
      workers,
      pool,
      postgresUrl: config.DORMOUSE_POSTGRES_URL,
      log,
    });
  const health = await startHealthServer(config.DORMOUSE_WORKER_HEALTH_PORT);
  log.info({ taskQueue, policy, metrics: observed.url }, 'worker ready');

  onShutdown(log, async () => {
    observed.stopping();
    await observing?.stop();
    await Promise.all([sweep.stop(), releases.stop(), rollouts.stop(), retention.stop()]);
    await workers.stop();
    await headKeeper?.close();
    await health?.close();
    await observed.close();
    await connection.close();
    activitySet.close();
    await pacePool.end();
    await pool.end();
  });
  workers.ended.catch((error: unknown) => {
    log.fatal({ err: error }, 'a worker failed');
    process.exit(1);
  });
}

function temporalLogger(log: Logger) {
  const child = log.child({ part: 'temporal' });
  return {
    log: (_level: string, message: string, meta?: object) => child.debug(meta ?? {}, message),
    trace: (message: string, meta?: object) => child.trace(meta ?? {}, message),
    debug: (message: string, meta?: object) => child.debug(meta ?? {}, message),
    info: (message: string, meta?: object) => child.debug(meta ?? {}, message),
    warn: (message: string, meta?: object) => child.warn(meta ?? {}, message),
    error: (message: string, meta?: object) => child.error(meta ?? {}, message),
  };
}
