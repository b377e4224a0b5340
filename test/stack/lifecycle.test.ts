/** Start and end of the stack as a person at a terminal has them: real processes, real servers. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Configuration, IdentityApi } from '@ory/client';
import { Client, Connection } from '@temporalio/client';
import { createTransport } from 'nodemailer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exists } from '../../dev/stack/files.js';
import { readRunningStack, type StackInfo } from '../../dev/stack/index.js';
import { findPostgresAccount, reachablePlaceFor } from '../../dev/stack/postgres-account.js';
import { waitUntil } from '../../dev/stack/wait-until.js';
import { mailTo } from './support/mails.js';
import { scratchDirectory } from './support/scratch.js';
import { aliveOf, type Child, runReadyStack, runStack } from './support/stack-process.js';

const timeoutMs = 300_000;

/** Closed to others, so that root's PostgreSQL has to keep its data elsewhere: that is removed too. */
async function dataDirectory(): Promise<string> {
  const directory = await scratchDirectory();
  onTestFinished(async () => {
    const place = await reachablePlaceFor(join(directory, 'stack', 'postgres'), await findPostgresAccount());
    await rm(place, { recursive: true, force: true });
  });
  return join(directory, 'stack');
}

async function leaveTraces(info: StackInfo) {
  const identities = new IdentityApi(new Configuration({ basePath: info.kratos.adminUrl }));
  const { data } = await identities.createIdentity({
    createIdentityBody: { schema_id: 'username', traits: { username: 'sleeper' } },
  });
  await createTransport(info.mail.smtpUrl).sendMail({
    from: 'a@example.test',
    to: 'b@example.test',
    subject: 'kept',
  });
  const connection = await Connection.connect({ address: info.temporal.address });
  const client = new Client({ connection, namespace: info.temporal.namespace });
  await client.workflow.start('nothing', { workflowId: 'kept', taskQueue: 'nobody' });
  await connection.close();
  return data.id;
}

async function findTraces(info: StackInfo, identityId: string) {
  const identities = new IdentityApi(new Configuration({ basePath: info.kratos.adminUrl }));
  const { data } = await identities.getIdentity({ id: identityId });
  const mail = await mailTo(info.mail.apiUrl, 'b@example.test');
  const connection = await Connection.connect({ address: info.temporal.address });
  const client = new Client({ connection, namespace: info.temporal.namespace });
  const workflow = await client.workflow.getHandle('kept').describe();
  await connection.close();
  return { username: data.traits.username, subject: mail?.subject, workflow: workflow.status.name };
}

async function expectAllGone(children: readonly Child[]): Promise<void> {
  await waitUntil(async () => (await aliveOf(children)).length === 0, { timeoutMs: 60_000 });
  expect(await aliveOf(children)).toEqual([]);
}

describe('the stack', () => {
  it(
    'ends every part on SIGTERM, starts again at once, and keeps its data',
    async () => {
      const directory = await dataDirectory();
      const first = await runReadyStack(directory);
      expect(first.children.map((child) => child.name).sort()).toEqual(
        ['Hydra', 'Kratos', 'PostgreSQL', 'Temporal', 'mail catcher'].sort(),
      );
      const identityId = await leaveTraces(first.info);
      first.kill('SIGTERM');
      expect(await first.ended).toBe(0);
      expect(await aliveOf(first.children)).toEqual([]);
      expect(await readRunningStack(directory)).toBeUndefined();

      const second = await runReadyStack(directory);
      expect(second.info.gateway.serviceToken).toBe(first.info.gateway.serviceToken);
      expect(await findTraces(second.info, identityId)).toEqual({
        username: 'sleeper',
        subject: 'kept',
        workflow: 'RUNNING',
      });
      second.kill('SIGINT');
      expect(await second.ended).toBe(0);
      expect(await aliveOf(second.children)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'refuses a second start and names the running one, and reports a part that dies',
    async () => {
      const directory = await dataDirectory();
      const stack = await runReadyStack(directory);

      const refused = runStack(directory);
      expect(await refused.ended).toBe(1);
      expect(refused.output()).toContain(`as process ${stack.pid}`);
      expect(refused.output()).toContain(stack.info.temporal.uiUrl);
      expect(await aliveOf(stack.children)).toHaveLength(stack.children.length);

      const kratos = stack.children.find((child) => child.name === 'Kratos');
      process.kill(kratos?.pid ?? 0, 'SIGKILL');
      expect(await stack.ended).toBe(1);
      expect(stack.output()).toContain('Kratos ended unexpectedly (signal SIGKILL)');
      // Lines of Kratos' own log.
      expect(stack.output()).toMatch(/kratos\.log\):\n\s+\{.*"level":"info"/);
      expect(await aliveOf(stack.children)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'leaves no part behind when it is killed, and starts again at once',
    async () => {
      const directory = await dataDirectory();
      const first = await runReadyStack(directory);
      first.kill('SIGKILL');
      await first.ended;
      const second = await runReadyStack(directory);
      expect(await aliveOf(first.children)).toEqual([]);
      second.kill('SIGKILL');
      await second.ended;
      // Nobody starts it again: its guard ends the parts.
      await expectAllGone(second.children);
    },
    timeoutMs,
  );

  it(
    'leaves nothing behind when it is interrupted at its start',
    async () => {
      // Of its own: other stacks of the machine come and go in the common one.
      const place = await scratchDirectory();
      const stack = runStack('unused', 'ephemeral', { TMPDIR: place });
      await stack.printed('PostgreSQL ready');
      expect(await stackDirectories(place)).toHaveLength(1);
      stack.kill('SIGINT');
      expect(await stack.ended).toBe(0);
      expect(await exists('unused')).toBe(false);
      expect(await stackDirectories(place)).toEqual([]);
    },
    timeoutMs,
  );
});

async function stackDirectories(place: string): Promise<string[]> {
  return (await readdir(place)).filter((name) => name.startsWith('dormouse-stack-'));
}
