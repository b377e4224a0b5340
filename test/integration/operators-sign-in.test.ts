/** Operators who sign in at the embedded Hydra: its tokens at the gateway. Hydra 2.3 has no device flow, so they come by client credentials. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { fresh, unknownId } from '../support/system-outside.js';

const stack = inject('stack');
const audience = 'dormouse-operators';
const [desk, admin, stranger] = [fresh('desk'), fresh('admin'), fresh('stranger')];
const secret = fresh('secret-of-a-client-of-hydra');
let gateway: TestGateway;

beforeAll(async () => {
  for (const client of [desk, admin, stranger]) {
    const answer = await fetch(new URL('/admin/clients', stack.hydra.adminUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ client_id: client, client_secret: secret, grant_types: ['client_credentials'] },
        ...{ audience: [audience], scope: 'dormouse.operator dormouse.admin', access_token_strategy: 'jwt' },
      }),
    });
    expect(answer.status).toBe(201);
  }
  const { issuer } = (await (
    await fetch(new URL('/.well-known/openid-configuration', stack.hydra.publicUrl))
  ).json()) as { issuer: string };
  const file = `issuers:
  - alias: hydra
    issuer: ${issuer}
    audience: ${audience}
    clients: [${desk}, ${admin}]
    rolesClaim: scp
    roles: { dormouse.operator: operator, dormouse.admin: admin }
`;
  const fail = (error: unknown) => {
    throw error;
  };
  const operators = new OperatorTokens(parseOperatorsFile(file, 'operators.yaml'), fail);
  gateway = await listenGateway({ stack, more: { operators } });
});
afterAll(async () => {
  await gateway.close();
  for (const client of [desk, admin, stranger])
    await fetch(new URL(`/admin/clients/${client}`, stack.hydra.adminUrl), { method: 'DELETE' });
});

/** @returns an access token of Hydra's, a JWT */
async function signIn(client: string, scope: string, forAudience = audience): Promise<string> {
  const answer = await fetch(new URL('/oauth2/token', stack.hydra.publicUrl), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', scope },
      ...(forAudience !== '' && { audience: forAudience }),
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

const exempt = (id: string, token: string) =>
  fetch(new URL(`/v1/identities/${id}/exempt`, gateway.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      reason: 'batch',
      kind: 'service',
      owner: 'team/x',
      reviewAt: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  });
const worklist = async (token: string) =>
  (
    await fetch(new URL('/v1/worklist?limit=1', gateway.url), {
      headers: { authorization: `Bearer ${token}` },
    })
  ).status;

it('who signs in with a role does what the role may, and the audit log names them', async () => {
  const id = unknownId();
  const token = await signIn(desk, 'dormouse.operator');
  expect((await exempt(id, token)).status).toBe(200);
  expect(await readAudit(gateway.pool, id)).toMatchObject([
    { eventType: 'exemption_set', actor: `oidc:hydra:${desk}` },
  ]);
});

it('who has no role is answered 403, and a token of another client or audience, or a changed one, 401', async () => {
  expect(await worklist(await signIn(desk, ''))).toBe(403);
  expect(await worklist(await signIn(admin, 'dormouse.admin'))).toBe(200);
  expect(await worklist(await signIn(stranger, 'dormouse.admin'))).toBe(401);
  expect(await worklist(await signIn(desk, 'dormouse.operator', ''))).toBe(401);
  const token = await signIn(desk, 'dormouse.operator');
  expect(await worklist(`${token.slice(0, -4)}AAAA`)).toBe(401);
});
