/** `dormouse tokens …` as an operator types it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { isPersonalToken } from '../../src/domain/tokens/personal-token.js';
import { hashOf } from '../../src/tokens/personal/issue.js';
import { findToken } from '../../src/tokens/personal/personal-tokens-table.js';
import { type AppDatabase, openAppDatabase } from '../support/app-database.js';
import { typed } from '../support/command.js';
import { publish } from '../support/publish.js';

let database: AppDatabase;
let environment: Record<string, string>;
const policy = `id: default
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { personal: { scopes: ["repo:read"], types: { ci: { inactive: never } } } }
`;
beforeAll(async () => {
  database = await openAppDatabase();
  environment = { ...inject('environment'), DORMOUSE_POSTGRES_URL: database.ownerUrl };
  await publish(database.pool, policy);
});
afterAll(() => database.close());

const run = (...args: string[]) => typed(environment, ['tokens', ...args]);

test('a token is created, listed without itself, rotated and revoked, each audited with its actor', async () => {
  const identityId = randomUUID();
  const created = await run(
    ...['create', identityId, '--name', 'deploy', '--type', 'ci', '--scope', 'repo:read', '--actor', 'op-1'],
  );
  expect(isPersonalToken('dmp', created.stdout)).toBe(true);
  expect(created.stderr).toContain('the only time that the token is shown');
  const first = await findToken(database.pool, hashOf(created.stdout));
  expect(first).toMatchObject({ identityId, type: 'ci', scopes: ['repo:read'], policyId: 'default' });

  const listed = await run('list', identityId);
  expect(listed.stdout).toContain('live');
  expect(listed.stdout).toContain('ends unused never');
  expect(listed.stdout).not.toContain(created.stdout);

  const rotated = await run('rotate', String(first?.tokenId), '--actor', 'op-2');
  const second = await findToken(database.pool, hashOf(rotated.stdout));
  expect(second).toMatchObject({ rotatedFrom: first?.tokenId });
  const revoked = await run('revoke', String(second?.tokenId), '--reason', 'leaked', '--actor', 'op-3');
  expect(revoked.stdout).toContain('revoked');
  const all = await run('list', identityId, '--ended', '--json');
  const ends = all.stdout.split('\n').map((line) => JSON.parse(line) as { ended: string });
  expect(ends.map(({ ended }) => ended).sort()).toEqual(['revoked', 'rotated']);
  expect(await readAudit(database.pool, identityId)).toMatchObject([
    { eventType: 'personal_token_created', actor: 'op-1' },
    { eventType: 'personal_token_rotated', actor: 'op-2' },
    { eventType: 'personal_token_revoked', actor: 'op-3', detail: { reason: 'leaked' } },
  ]);
});

test('a token whose policy lost its section is listed and revoked all the same', async () => {
  const identityId = randomUUID();
  const bare = policy.replace('id: default', 'id: bare');
  await publish(database.pool, bare);
  const { stdout } = await run('create', identityId, '--name', 'deploy', '--policy', 'bare');
  await publish(database.pool, bare.replace(/^tokens:.*$/m, ''));
  const listed = await run('list', identityId);
  expect(listed.stdout).toContain('no limits in the policy "bare"');
  const token = await findToken(database.pool, hashOf(stdout));
  const revoked = await run('revoke', String(token?.tokenId), '--reason', 'leaked', '--actor', 'op-1');
  expect(revoked.stdout).toContain('revoked');
});

test('what a policy would end is told before it is published, and nothing is ended', async () => {
  const identityId = randomUUID();
  for (const type of ['personal', 'ci']) await run('create', identityId, '--name', 'x', '--type', type);
  expect((await run('due', '--within', '364d')).stdout).not.toContain(identityId);
  const usual = await run('due', '--within', '366d');
  expect(usual.stdout.split('\n').filter((line) => line.includes(identityId))).toHaveLength(1);
  const directory = await mkdtemp(join(tmpdir(), 'dormouse-policy-'));
  try {
    const file = join(directory, 'p.yaml');
    await writeFile(file, policy.replace('personal: {', 'personal: { inactive: 20d,'));
    const shorter = await run('due', '--within', '21d', '--file', file);
    expect(shorter.stdout).toMatch(new RegExp(`${identityId}  personal  inactive  \\d{4}-`));
    expect(shorter.stderr).toMatch(/^\d+ unused, 0 expired within 21d$/m);
    await writeFile(file, policy.replace('id: default', 'id: other'));
    const other = await run('due', '--within', '21d', '--file', file);
    expect([other.exitCode, other.all]).toEqual([1, expect.stringContaining('Write --policy other')]);
  } finally {
    await rm(directory, { recursive: true });
  }
  expect((await run('list', identityId)).stdout.split('\n')).toHaveLength(2);
});

test.each([
  [['due', '--within', 'soon'], '--within: "soon" is not a duration', 2],
  [['create', 'jo@example.com', '--name', 'a'], 'identityId is not a UUID', 1],
  [['create', randomUUID(), '--name', ' '], '--name: is empty', 1],
  [['create', randomUUID(), '--name', 'a', '--scope', 'admin'], '--scope: "admin" is not a scope', 1],
  [['create', randomUUID(), '--name', 'a', '--expires', '2027-02-30'], '--expires: is no day or time', 2],
  [['create', randomUUID(), '--name', 'a', '--policy', 'other'], 'other', 1],
  [['create', randomUUID(), '--name', 'a', '--actor', 'jo@example.com'], '--actor: must be an opaque id', 2],
  [['rotate', randomUUID()], 'there is no token with this id', 1],
  [['revoke', 'x', '--reason', 'a'], 'there is no token with this id', 1],
  [['revoke', randomUUID(), '--reason', ' '], '--reason: is empty', 2],
])('%j is refused, and says why', async (args, message, code) => {
  const { exitCode, all, stdout } = await run(...args);
  expect(all).toContain(message);
  expect([exitCode, stdout]).toEqual([code, '']);
});
