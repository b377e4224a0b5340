/** The search attributes of a namespace: registered by one command, and missed by name. */
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { searchAttributeProblems } from '../../src/process/search-attributes.js';
import { typed } from '../support/command.js';
import { until } from '../support/until.js';

const { temporal } = inject('stack');
const namespace = `attributes-${randomUUID().slice(0, 8)}`;
const environment = { ...inject('environment'), DORMOUSE_TEMPORAL_NAMESPACE: namespace };
let connection: Connection;

beforeAll(async () => {
  connection = await Connection.connect({ address: temporal.address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await until('the namespace is known', () =>
    searchAttributeProblems(connection, namespace).then(() => true),
  );
});
afterAll(() => connection?.close());

it('a fresh namespace is refused by name, registered once, and accepted', async () => {
  const before = await typed(environment, ['temporal', 'check']);
  expect(before.exitCode).toBe(1);
  expect(before.all).toContain('the search attribute DormouseStage is not registered');
  expect(before.all).toContain('Run "dormouse temporal register"');

  const registered = await typed(environment, ['temporal', 'register']);
  expect(registered.all).toContain('registered DormouseStage');
  await until(
    'they are known',
    async () => (await searchAttributeProblems(connection, namespace)).length === 0,
  );
  const after = await typed(environment, ['temporal', 'check']);
  expect(after.exitCode, after.all).toBe(0);
  expect((await typed(environment, ['temporal', 'register'])).all).toContain('has all search attributes');
});

it('a namespace that Temporal does not know is an error', async () => {
  await expect(searchAttributeProblems(connection, `${namespace}-none`)).rejects.toThrow();
});
