/** The gateway as a process: its two addresses, and a credential that the command line makes while it runs. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { typed } from '../support/command.js';
import { EntryProcess } from '../support/entry-process.js';
import { fresh } from '../support/system-outside.js';
import { until } from '../support/until.js';

const environment = {
  ...inject('environment'),
  DORMOUSE_GATEWAY_PORT: '0',
  DORMOUSE_OPERATORS_LISTEN: '127.0.0.1:0',
};
const gateway = new EntryProcess('src/gateway.ts', 'gateway ready', environment);
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

it('serves operators at their own address only, with a credential that was made meanwhile', async () => {
  const line = gateway.said.split('\n').find((text) => text.includes('gateway ready')) ?? '';
  const { address, operators } = JSON.parse(line) as { address: string; operators: string };
  const name = fresh('desk').toLowerCase();
  const { stdout: secret } = await typed(environment, [
    'server',
    'credentials',
    'create',
    name,
    '--scope',
    'worklist:read',
  ]);
  const ask = async (base: string) =>
    (await fetch(new URL('/v1/worklist', base), { headers: { authorization: `Bearer ${secret}` } })).status;
  await until('the gateway knows the credential', async () => (await ask(operators)) === 200);
  expect(await ask(address)).toBe(404);
  for (const base of [address, operators]) expect((await fetch(new URL('/healthz', base))).status).toBe(200);
  expect(gateway.said).toContain(`"actor":"credential:${name}"`);
  expect(gateway.said).not.toContain(secret);
});
