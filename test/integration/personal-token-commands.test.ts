/** `dormouse tokens …` as an operator types it, who has a gateway's address and a credential. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { isPersonalToken } from '../../src/domain/tokens/personal-token.js';
import { hashOf } from '../../src/tokens/personal/issue.js';
import { dueTokens } from '../../src/tokens/personal/listed.js';
import { findToken, readTokensOf } from '../../src/tokens/personal/personal-tokens-table.js';
import { publishedSection } from '../../src/tokens/personal/section.js';
import { type Desk, type Operator, openDesk, operatorsScopes } from '../support/desk.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

let database: FreshDatabase;
let desk: Desk;
let operator: Operator;
const policy = `id: default
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { personal: { scopes: ["repo:read"], types: { ci: { inactive: never } } } }
`;
beforeAll(async () => {
  database = await openFreshDatabase();
  await publish(database.pool, policy);
  desk = await openDesk({ postgresUrl: database.url });
  operator = await desk.operator();
});
afterAll(async () => {
  await desk?.close();
  await database?.close();
});

const run = (...args: string[]) => operator.typed(['tokens', ...args]);

test('a token is created, listed without itself, rotated and revoked, each audited with the credential', async () => {
  const identityId = randomUUID();
  const created = await run(
    ...['create', identityId, '--name', 'deploy', '--type', 'ci', '--scope', 'repo:read'],
  );
  expect(isPersonalToken('dmp', created.stdout)).toBe(true);
  expect(created.stderr).toContain('the only time that the token is shown');
  const first = await findToken(database.pool, hashOf(created.stdout));
  expect(first).toMatchObject({ identityId, type: 'ci', scopes: ['repo:read'], policyId: 'default' });

  const listed = await run('list', identityId);
  expect(listed.stdout).toContain('live');
  expect(listed.stdout).toMatch(/^\S+ +ci +live +\S+ +never +never +never +repo:read +deploy$/m);
  expect(listed.stdout).not.toContain(created.stdout);

  const rotated = await run('rotate', String(first?.tokenId));
  const second = await findToken(database.pool, hashOf(rotated.stdout));
  expect(second).toMatchObject({ rotatedFrom: first?.tokenId });
  const revoked = await run('revoke', String(second?.tokenId), '--reason', 'leaked');
  expect(revoked.stdout).toContain('revoked');
  const all = await run('list', identityId, '--ended', '--json');
  const ends = all.stdout.split('\n').map((line) => JSON.parse(line) as { state: string });
  expect(ends.map(({ state }) => state).sort()).toEqual(['revoked', 'rotated']);
  expect(await readAudit(database.pool, identityId)).toMatchObject([
    { eventType: 'personal_token_created', actor: operator.actor },
    { eventType: 'personal_token_rotated', actor: operator.actor },
    { eventType: 'personal_token_revoked', actor: operator.actor, detail: { reason: 'leaked' } },
  ]);
  const again = await run('revoke', String(second?.tokenId), '--reason', 'leaked', '--json');
  expect(JSON.parse(again.stdout)).toEqual({ tokenId: second?.tokenId, revoked: false });
});

test('a dry run of each change says what would be done, and does nothing', async () => {
  const identityId = randomUUID();
  const create = ['create', identityId, '--name', 'deploy'];
  expect((await run(...create, '--dry-run')).stdout).toMatch(/^dry run: would make a token for/);
  expect(await readTokensOf(database.pool, identityId, { ended: true })).toEqual([]);
  const { tokenId } = JSON.parse((await run(...create, '--json')).stdout) as { tokenId: string };
  for (const args of [
    ['rotate', tokenId],
    ['revoke', tokenId, '--reason', 'leaked'],
  ]) {
    const { exitCode, stdout } = await run(...args, '--dry-run', '--json');
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { dryRun: true }]);
  }
  const left = await readTokensOf(database.pool, identityId, { ended: true });
  expect(left).toMatchObject([{ tokenId }]);
  expect(left[0]).not.toHaveProperty('ended');
  expect(await readAudit(database.pool, identityId)).toHaveLength(1);
});

describe('a dry run is refused where the change would be', () => {
  test('by the policy, by the number of live tokens, by a deletion, and by a token that ended', async () => {
    await publish(
      database.pool,
      policy.replace('id: default', 'id: few').replace('personal: {', 'personal: { atMost: 1,'),
    );
    const identityId = randomUUID();
    const create = (id: string) => ['create', id, '--name', 'deploy', '--policy', 'few'];
    const { tokenId } = JSON.parse((await run(...create(identityId), '--json')).stdout) as {
      tokenId: string;
    };
    const deleted = randomUUID();
    await database.pool.query(`INSERT INTO tombstone (identity_id, deleted_at) VALUES ($1, now())`, [
      deleted,
    ]);
    await run('revoke', tokenId, '--reason', 'leaked');
    const second = JSON.parse((await run(...create(identityId), '--json')).stdout) as { tokenId: string };
    expect(second.tokenId).not.toBe(tokenId);
    for (const [args, message] of [
      [create(identityId), /^id: the identity has 1 live tokens already/],
      [create(deleted), /^id: the identity was deleted/],
      [['create', randomUUID(), '--name', 'x', '--scope', 'admin'], /^scopes: "admin" is not a scope/],
      [['rotate', tokenId], /^tokenId: the token is not live any more/],
      [['rotate', randomUUID()], /^tokenId: there is no token with this id/],
      [['revoke', randomUUID(), '--reason', 'a'], /^tokenId: there is no token with this id/],
    ] as const) {
      for (const more of [['--dry-run'], []]) {
        const { exitCode, stderr, stdout } = await run(...args, ...more);
        expect([exitCode, stdout, stderr]).toEqual([1, '', expect.stringMatching(message)]);
      }
    }
  });
});

describe('a credential without the scope', () => {
  const token = randomUUID();
  test.each([
    ['audit:read', ['list', token]],
    ['policy:read', ['due', '--within', '30d']],
    ['credentials:manage', ['create', token, '--name', 'x']],
    ['credentials:manage', ['rotate', token]],
    ['identities:operate', ['revoke', token, '--reason', 'a']],
  ])('%s is refused: tokens %j', async (scope, args) => {
    const other = await desk.operator(
      undefined,
      operatorsScopes.filter((one) => one !== scope),
    );
    const refused = await other.typed(['tokens', ...args]);
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining(`the scope ${scope}`)]);
  });

  test('a forged one is refused, and the tokens are not told', async () => {
    const answer = await fetch(`${desk.gateway.url}/v1/identities/${token}/personal-tokens`, {
      headers: { authorization: `Bearer dmc_${'A'.repeat(49)}` },
    });
    expect(answer.status).toBe(401);
  });
});

test('tokens are listed page by page as due, each once', async () => {
  const identityId = randomUUID();
  for (const name of ['a', 'b', 'c']) await run('create', identityId, '--name', name);
  const personal = await publishedSection(database.pool, 'default');
  const by = Date.now() + 400 * 86_400_000;
  const all = await dueTokens(database.pool, 'default', personal, { by, rows: 1_000 });
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await dueTokens(database.pool, 'default', personal, { by, after, rows: 1 });
    seen.push(...page.tokens.map(({ token }) => token.tokenId));
    after = page.next;
  } while (after !== undefined);
  expect(seen).toEqual(all.tokens.map(({ token }) => token.tokenId));
  expect(seen.length).toBeGreaterThanOrEqual(3);
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
  const revoked = await run('revoke', String(token?.tokenId), '--reason', 'leaked');
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
    expect(shorter.stdout).toMatch(new RegExp(`${identityId} +personal +inactive +\\d{4}-`));
    expect(shorter.stderr).toMatch(/^\d+ unused, 0 expired within 21d$/m);
    await writeFile(file, policy.replace('id: default', 'id: other'));
    const other = await run('due', '--within', '21d', '--file', file);
    expect([other.exitCode, other.all]).toEqual([1, expect.stringContaining('Write --policy other')]);
  } finally {
    await rm(directory, { recursive: true });
  }
  expect((await run('list', identityId)).stdout.split('\n')).toHaveLength(3);
});

test.each([
  [['due', '--within', 'soon'], '--within: "soon" is not a duration', 2],
  [['create', 'jo', '--name', 'a'], 'identity: must be the UUID', 2],
  [['create', randomUUID(), '--name', ' '], 'name: is empty', 1],
  [['create', randomUUID(), '--name', 'a', '--expires', '2027-02-30'], '--expires: is no day or time', 2],
  [['create', randomUUID(), '--name', 'a', '--policy', 'other'], 'policy "other" was never published', 1],
  [['revoke', 'x', '--reason', 'a'], 'there is no token with this id', 1],
  [['revoke', randomUUID(), '--reason', ' '], '--reason: is empty', 2],
])('%j is refused, and says why', async (args, message, code) => {
  const { exitCode, all, stdout } = await run(...args);
  expect(all).toContain(message);
  expect([exitCode, stdout]).toEqual([code, '']);
});
