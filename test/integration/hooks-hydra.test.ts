/** Hydra's token hook with a real Hydra: who gets a token, and which tokens count as a sign of life. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OAuthClient, Tokens } from '../../dev/demo/authorization-code-flow.js';
import type { OryPeople } from '../../dev/demo/ory-people.js';
import type { Stage } from '../../src/domain/rungs.js';
import { readSigns } from '../../src/signs/signs-table.js';
import type { TokenHookOptions } from '../../src/tokens/http/hydra-token-hook.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { AskingHydra } from '../support/asking-hydra.js';
import { unknownId } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

let hydra: AskingHydra;
let people: OryPeople;
let client: OAuthClient;
const failing = { readStanding: false };
const readStanding: TokenHookOptions['readStanding'] = (id) =>
  failing.readStanding ? Promise.reject(new Error('no database')) : readTokenStanding(hydra.gateway.pool, id);

beforeAll(async () => {
  hydra = await AskingHydra.begin({ readStanding });
  ({ people } = hydra);
  client = await hydra.createClient(['refresh_token', 'client_credentials']);
});
afterAll(() => hydra?.end());

const authorize = (id: string) => hydra.authorize(client, id);
const refresh = ({ refreshToken }: Pick<Tokens, 'refreshToken'>) => hydra.refresh(client, refreshToken);

/** Puts the projection where the worker would have put it. */
async function standAt(id: string, stage: Stage, since = Date.now()): Promise<void> {
  await hydra.gateway.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
     VALUES ($1, $2, $3, $3, '{}', 0, $3)
     ON CONFLICT (identity_id) DO UPDATE SET stage = $2, stage_since = $3`,
    [id, stage, new Date(since)],
  );
}

const forget = (id: string) =>
  hydra.gateway.pool.query('DELETE FROM identity_activity WHERE identity_id = $1', [id]);
const activityOf = (id: string) => readSigns(hydra.gateway.pool, id);

/** A person with tokens, without the signs of life so far. */
async function withTokens() {
  const { id } = await people.create('token');
  const tokens = await authorize(id);
  await eventually('the first sign', async () => (await activityOf(id)).token);
  await forget(id);
  return { id, tokens };
}

describe('an active identity', () => {
  it('gets tokens; the sign-in is human, at its own time', async () => {
    const { id } = await people.create('token');
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    await authorize(id);
    const activity = await eventually('both signs', async () => {
      const found = await activityOf(id);
      return found.human !== undefined && found.token !== undefined && found;
    });
    expect(activity.human).toBeGreaterThanOrEqual(before);
    expect(activity.human).toBeLessThanOrEqual(Date.now());
  });

  it('refreshes, and that is a sign of life of the kind token only', async () => {
    const { id, tokens } = await withTokens();
    expect(await refresh(tokens)).toMatchObject({ status: 200, refresh_token: expect.any(String) });
    await eventually('the refresh', async () => (await activityOf(id)).token);
    expect((await activityOf(id)).human).toBeUndefined();
  });

  it('a service counts for nobody', async () => {
    const count = async () =>
      (await hydra.gateway.pool.query<{ count: number }>('SELECT count(*)::int FROM identity_activity'))
        .rows[0]?.count;
    const before = await count();
    expect((await hydra.askForToken(client, { grant_type: 'client_credentials' })).status).toBe(200);
    await expect.poll(count, { interval: 200, timeout: 1_000 }).toBe(before);
  });
});

describe('an identity off the ladder', () => {
  it.each([
    'suspended',
    'revoked',
    'deactivated',
    'deleted',
  ] as const)('%s: no refresh, and the attempt is no activity', async (stage) => {
    const { id, tokens } = await withTokens();
    await standAt(id, stage);
    expect(await refresh(tokens)).toMatchObject({ status: 403, error: 'access_denied' });
    expect(await activityOf(id)).toEqual({});
    await standAt(id, 'active');
    expect((await refresh(tokens)).status).toBe(200);
  });

  it.each([
    'suspended',
    'revoked',
  ] as const)('%s: a fresh sign-in brings tokens, and counts', async (stage) => {
    const { id } = await people.create('token');
    await standAt(id, stage, Date.now() - 60_000);
    expect((await authorize(id)).refreshToken).toBeTruthy();
    await eventually('the sign-in', async () => (await activityOf(id)).human);
  });

  it.each(['deactivated', 'deleted'] as const)('%s: not even by a fresh sign-in', async (stage) => {
    const { id } = await people.create('token');
    await standAt(id, stage, Date.now() - 60_000);
    await expect(authorize(id)).rejects.toThrow('403');
    expect(await activityOf(id)).toEqual({});
  });

  it('back again: tokens of a session from before the revocation stay dead', async () => {
    const { id, tokens } = await withTokens();
    await writeNotBefore(hydra.gateway.pool, id, Date.now() + 1_000);
    expect((await refresh(tokens)).status).toBe(403);
    expect(await activityOf(id)).toEqual({});
  });
});

describe('when the standing can not be read', () => {
  it('closed: no token, but the refresh token survives', async () => {
    const { tokens } = await withTokens();
    failing.readStanding = true;
    const answer = await refresh(tokens).finally(() => {
      failing.readStanding = false;
    });
    expect(answer).toMatchObject({ status: 500, error: 'server_error' });
    expect((await refresh(tokens)).status).toBe(200);
  });

  it('open: a token, and nothing is recorded', async () => {
    const { id, tokens } = await withTokens();
    failing.readStanding = true;
    await hydra.ask({ readStanding, onFailure: 'open' });
    expect((await refresh(tokens)).status).toBe(200);
    failing.readStanding = false;
    expect(await activityOf(id)).toEqual({});
  });

  it('an unknown identity is denied nothing', async () => {
    expect(await readTokenStanding(hydra.gateway.pool, unknownId())).toEqual({});
  });
});
