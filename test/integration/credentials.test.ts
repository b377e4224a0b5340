/** Credentials in real PostgreSQL, as an operator types it: made, listed, rotated, revoked, each with its entry in the audit log. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { installationId } from '../../src/domain/audit-entry.js';
import { createPool } from '../../src/postgres/pool.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import {
  forgetOldCredentials,
  readCredentials,
  readKnownCredentials,
  writeCredentialUses,
} from '../../src/principals/credentials-table.js';
import {
  createCredential,
  credentialHash,
  isCredentialSecret,
  rotateCredential,
} from '../../src/principals/issue.js';
import { typed } from '../support/command.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh } from '../support/system-outside.js';

let database: FreshDatabase;
let runtime: pg.Pool;
let role: string;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await openFreshDatabase();
  role = fresh('role').replace('-', '_');
  await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  await prepareDatabase({ url: url.href, migrationUrl: database.url });
  runtime = createPool({ url: url.href });
  environment = { ...inject('environment'), DORMOUSE_POSTGRES_URL: url.href };
});
afterAll(async () => {
  await runtime.end();
  await database.pool.query(`DROP OWNED BY ${role}`);
  await database.pool.query(`DROP ROLE ${role}`);
  await database.close();
});

const run = (...args: string[]) => typed(environment, ['server', 'credentials', ...args]);
const request = (name: string, more: object = {}) => ({
  ...{ name, owner: 'olga', scopes: ['standing:read'], networks: [], actor: 'olga' },
  ...more,
});
const auditOf = async (name: string) =>
  (await readAudit(runtime, installationId))
    .filter(({ detail }) => detail.name === name)
    .map(({ eventType, actor, detail }) => ({ eventType, actor, detail }));
const liveHashes = async (name: string) => {
  const { now, credentials } = await readKnownCredentials(runtime);
  const isLive = ({ endsAt = Number.POSITIVE_INFINITY }) => endsAt > now;
  return credentials.filter((one) => one.name === name && isLive(one)).map(({ hash }) => hash);
};
const hashText = (secret: string) => credentialHash(secret).toString('base64url');

describe('an operator types', () => {
  it('create, list, rotate and revoke: the secret is shown once and kept nowhere', async () => {
    const created = await run(
      ...[
        'create',
        'desk',
        '--scope',
        'holds:place',
        '--scope',
        'signs:write:shop',
        '--from',
        '10.0.0.0/8,192.0.2.7',
      ],
      ...['--owner', 'team/desk', '--expires', '2099-01-01', '--actor', 'olga'],
    );
    expect([created.exitCode, created.stderr]).toEqual([0, expect.stringContaining('only time')]);
    expect(isCredentialSecret(created.stdout)).toBe(true);
    const listed = await run('list');
    expect(listed.stdout).toMatch(
      /desk {2}owner team\/desk {2}created .* {2}never used {2}expired 2099-.* {2}from 10.0.0.0\/8 192.0.2.7(\/32)? {2}holds:place signs:write:shop/,
    );
    const rotated = await run('rotate', 'desk', '--overlap', '1h', '--actor', 'oleg');
    expect(isCredentialSecret(rotated.stdout)).toBe(true);
    expect((await liveHashes('desk')).sort()).toEqual([created.stdout, rotated.stdout].map(hashText).sort());
    const revoked = await run('revoke', 'desk', '--reason', 'leaked', '--actor', 'oleg');
    expect(revoked.stdout).toContain('revoked');
    expect(await liveHashes('desk')).toEqual([]);
    const all = (await run('list', '--ended', '--json')).stdout;
    expect(all.split('\n').map((line) => JSON.parse(line) as { endsWhy: string })).toMatchObject([
      { endsWhy: 'revoked', owner: 'team/desk', scopes: ['holds:place', 'signs:write:shop'] },
      { endsWhy: 'revoked' },
    ]);
    expect(await auditOf('desk')).toMatchObject([
      { eventType: 'credential_created', actor: 'olga', detail: { owner: 'team/desk' } },
      { eventType: 'credential_rotated', actor: 'oleg' },
      { eventType: 'credential_revoked', actor: 'oleg', detail: { reason: 'leaked' } },
    ]);
    const { rows } = await database.pool.query(
      'SELECT (SELECT json_agg(credential) FROM credential)::text || (SELECT json_agg(audit) FROM audit)::text AS everything',
    );
    for (const secret of [created.stdout, rotated.stdout])
      for (const text of [rows[0].everything, all, listed.stdout])
        expect(text).not.toContain(secret.slice(4, 47));
    expect(await verifyAudit(runtime)).toMatchObject({ rows: expect.any(Number) });
  });

  it.each([
    ['a name with capitals', ['create', 'Desk', '--scope', 'api:read'], /^name: /],
    ['no scope', ['create', 'empty'], /^scopes: .*at least one/],
    ['a wildcard', ['create', 'wild', '--scope', 'signs:write:*'], /no wildcards/],
    [
      'a reserved actor',
      ['create', 'own', '--scope', 'api:read', '--actor', 'engine'],
      /only Dormouse writes/,
    ],
    [
      'the actor of a credential',
      ['create', 'own', '--scope', 'api:read', '--actor', 'credential:olga'],
      /--actor: is the name of a credential/,
    ],
    [
      'a credential as owner',
      ['create', 'own', '--scope', 'api:read', '--owner', 'credential:olga'],
      /^owner: /,
    ],
    ['half a network', ['create', 'own', '--scope', 'api:read', '--from', '10.0.0.0/99'], /^--from: /],
    ['an end in the past', ['create', 'own', '--scope', 'api:read', '--expires', '2001-01-01'], /^expires: /],
    ['a name that nobody has', ['rotate', 'nobody'], /^name: no live credential/],
    ['an overlap of a year', ['rotate', 'nobody', '--overlap', '365d'], /^overlap: /],
    ['a name that ended', ['revoke', 'nobody', '--reason', 'x'], /^name: no live credential/],
  ])('%s, and is told the way out', async (_what, args, message) => {
    const answer = await run(...args);
    // A wrong option is the command line's own mistake (docs/command-line.md).
    const exitCode = args.includes('--actor') ? 2 : 1;
    expect([answer.exitCode, answer.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
  });
});

describe('a credential', () => {
  it('keeps its name for good: not even after its end does another one get it', async () => {
    const name = fresh('ci');
    await createCredential(runtime, request(name));
    await run('revoke', name, '--reason', 'over');
    await expect(createCredential(runtime, request(name))).rejects.toThrow(/is, or was, another/);
  });

  it('that two create at once is one', async () => {
    const name = fresh('twice');
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => createCredential(runtime, request(name))));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await liveHashes(name)).toHaveLength(1);
  });

  it('without overlap is refused from the rotation on, and lives as long anew', async () => {
    const name = fresh('short');
    const first = await createCredential(runtime, request(name, { expiresAt: Date.now() + 3_600_000 }));
    const second = await rotateCredential(runtime, { name, overlapMs: 0, actor: 'olga' });
    expect(await liveHashes(name)).toEqual([hashText(second)]);
    expect(hashText(first)).not.toBe(hashText(second));
    const [newest] = (await readCredentials(runtime, { ended: false })).filter((one) => one.name === name);
    expect((newest?.endsAt ?? 0) - (newest?.createdAt ?? 0)).toBeCloseTo(3_600_000, -4);
  });

  it('of which three rotations ran at once has one secret without overlap', async () => {
    const name = fresh('race');
    await createCredential(runtime, request(name));
    await Promise.all([1, 2, 3].map(() => rotateCredential(runtime, { name, overlapMs: 0, actor: 'olga' })));
    expect(await liveHashes(name)).toHaveLength(1);
  });

  it('notes its last use, and never an earlier one', async () => {
    const name = fresh('used');
    await createCredential(runtime, request(name));
    const find = async () =>
      (await readCredentials(runtime, { ended: false })).find((one) => one.name === name);
    const id = (await find())?.credentialId ?? '';
    const at = Date.now();
    await writeCredentialUses(runtime, new Map([[id, at]]));
    await writeCredentialUses(runtime, new Map([[id, at - 1_000]]));
    expect((await find())?.lastUsedAt).toBe(at);
  });

  it('that ended is forgotten after its time; a live one never', async () => {
    const [old, live] = [fresh('old'), fresh('live')];
    for (const name of [old, live]) await createCredential(runtime, request(name));
    await run('revoke', old, '--reason', 'over');
    expect(await forgetOldCredentials(runtime, new Date(Date.now() - 60_000))).toBe(0);
    expect(await forgetOldCredentials(runtime, new Date(Date.now() + 60_000))).toBeGreaterThan(0);
    const names = (await readCredentials(runtime, { ended: true })).map(({ name }) => name);
    expect([names.includes(old), names.includes(live)]).toEqual([false, true]);
  });
});

describe('the runtime role may not', () => {
  it.each([
    "UPDATE credential SET scopes = '{policy:publish}'",
    'UPDATE credential SET ends_at = NULL, ends_why = NULL',
    "UPDATE credential SET hash = sha256('x')",
    "INSERT INTO credential SELECT gen_random_uuid(), 'x', owner, scopes, sha256('x'), networks, created_at FROM credential LIMIT 1",
  ])('%s', async (statement) => {
    await expect(runtime.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('name Dormouse itself as the actor', async () => {
    await expect(createCredential(runtime, request(fresh('own'), { actor: 'engine' }))).rejects.toThrow(
      /actor/,
    );
  });
});

it('an end never moves away, not even by the owner of the tables', async () => {
  const name = fresh('ended');
  await createCredential(runtime, request(name, { expiresAt: Date.now() + 60_000 }));
  for (const change of [
    "ends_at = ends_at + interval '1 s'",
    'ends_at = NULL, ends_why = NULL',
    "scopes = '{a:b}'",
  ])
    await expect(
      database.pool.query(`UPDATE credential SET ${change} WHERE name = $1`, [name]),
    ).rejects.toThrow(/can only end/);
});
