/** Hydra's token hook with a real Hydra: who gets a token, and which tokens count as a sign of life. */
import { Configuration, OAuth2Api } from '@ory/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeByCode, type OAuthClient, type Tokens } from '../../dev/demo/authorization-code-flow.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { type RunningStack, startStack } from '../../dev/stack/index.js';
import type { Stage } from '../../src/domain/rungs.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { readActivity } from '../../src/signs/signs-table.js';
import type { TokenHookOptions } from '../../src/tokens/http/hydra-token-hook.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { unknownId } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

// A stack of its own: the shared one's Hydra asks nobody, so that other tests get tokens without a gateway.
let own: RunningStack;
let gateway: TestGateway;
let people: OryPeople;
let oauth2: OAuth2Api;
let client: OAuthClient;
const failing = { readStanding: false };
const hooks: { -readonly [Key in keyof TokenHookOptions]: TokenHookOptions[Key] } = {
  keys: [],
  onFailure: 'closed',
  readStanding: (id) =>
    failing.readStanding ? Promise.reject(new Error('no database')) : readTokenStanding(gateway.pool, id),
};

beforeAll(async () => {
  own = await startStack({
    dataDirectory: 'unused',
    ephemeral: true,
    worker: false,
    gateway: false,
    tokenHook: true,
  });
  await prepareDatabase({ url: own.info.postgres.runtimeUrl, migrationUrl: own.info.postgres.url });
  hooks.keys = [own.info.gateway.hookKeys.hydra];
  gateway = await listenGateway({ stack: own.info, atStackUrl: true, more: { hooks: { hydra: hooks } } });
  people = new OryPeople(own.info);
  oauth2 = new OAuth2Api(new Configuration({ basePath: own.info.hydra.adminUrl }));
  const redirectUri = 'http://127.0.0.1:4455/callback';
  const { data } = await oauth2.createOAuth2Client({
    oAuth2Client: {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      scope: 'openid offline_access',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
    },
  });
  client = { id: data.client_id ?? '', secret: data.client_secret ?? '', redirectUri };
});
afterAll(async () => {
  await gateway?.close();
  await own?.stop();
});

const authorize = (id: string) => authorizeByCode(own.info.hydra.publicUrl, oauth2, client, id);

async function askForToken(grant: Record<string, string>) {
  const answer = await fetch(new URL('/oauth2/token', own.info.hydra.publicUrl), {
    method: 'POST',
    body: new URLSearchParams({ ...grant, client_id: client.id, client_secret: client.secret }),
  });
  const body = (await answer.json()) as { refresh_token?: string; error?: string };
  return { status: answer.status, ...body };
}

const refresh = ({ refreshToken }: Pick<Tokens, 'refreshToken'>) =>
  askForToken({ grant_type: 'refresh_token', refresh_token: refreshToken });

/** Puts the projection where the worker would have put it. */
async function standAt(id: string, stage: Stage, since = Date.now()): Promise<void> {
  await gateway.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
     VALUES ($1, $2, $3, $3, '{}', 0, $3)
     ON CONFLICT (identity_id) DO UPDATE SET stage = $2, stage_since = $3`,
    [id, stage, new Date(since)],
  );
}

const forget = (id: string) =>
  gateway.pool.query('DELETE FROM identity_activity WHERE identity_id = $1', [id]);
const activityOf = (id: string) => readActivity(gateway.pool, id);

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

  it('refreshes, and that is token activity only', async () => {
    const { id, tokens } = await withTokens();
    expect(await refresh(tokens)).toMatchObject({ status: 200, refresh_token: expect.any(String) });
    await eventually('the refresh', async () => (await activityOf(id)).token);
    expect((await activityOf(id)).human).toBeUndefined();
  });

  it('a service counts for nobody', async () => {
    const count = async () =>
      (await gateway.pool.query<{ count: number }>('SELECT count(*)::int FROM identity_activity')).rows[0]
        ?.count;
    const before = await count();
    expect((await askForToken({ grant_type: 'client_credentials' })).status).toBe(200);
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
    await writeNotBefore(gateway.pool, id, Date.now() + 1_000);
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
    await gateway.close();
    gateway = await listenGateway({
      stack: own.info,
      atStackUrl: true,
      more: { hooks: { hydra: { ...hooks, onFailure: 'open' } } },
    });
    expect((await refresh(tokens)).status).toBe(200);
    failing.readStanding = false;
    expect(await activityOf(id)).toEqual({});
  });

  it('an unknown identity is denied nothing', async () => {
    expect(await readTokenStanding(gateway.pool, unknownId())).toEqual({});
  });
});
