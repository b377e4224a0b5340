/** Who calls the desk: what of a stored session still counts. PostgreSQL's part is in the system's tests. */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { deskAccess } from '../../src/desk/access.js';
import type { DeskContext } from '../../src/desk/context.js';
import { cookiesOf } from '../../src/desk/cookies.js';
import type { Gate } from '../../src/http/gate.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { SignIn } from '../../src/principals/sign-in.js';

/** @param roles of the one issuer, as YAML */
function identify(query: () => Promise<object>, roles: string) {
  const issuers = parseOperatorsFile(
    `issuers:
  - alias: acme
    issuer: https://id.acme.example
    audience: dormouse-operators
    clients: [desk]
    roles: ${roles}
    desk: { client: desk }
`,
    'operators.yaml',
  );
  const signIn = new SignIn({
    ...{ issuers, secrets: new Map(), redirectUri: 'https://desk.example/desk/signed-in' },
    ...{ tokens: new OperatorTokens(issuers, () => undefined), onError: () => undefined },
  });
  const pool = { query } as unknown as pg.Pool;
  const context = { pool, cookies: cookiesOf(false), signIn } as unknown as DeskContext;
  const request = {
    headers: { cookie: `dormouse-desk=${'a'.repeat(43)}` },
    log: { error: () => undefined } as unknown as FastifyBaseLogger,
  } as unknown as FastifyRequest;
  return deskAccess(context, {} as Gate).identify(request);
}

const scopes = ['standing:read', 'policy:publish', 'a-scope-of-an-earlier-release'];
const stored = (actor: string) => async () => ({ rows: [{ actor, scopes }] });

it('an admin of an earlier file is a viewer where the file says so now', async () => {
  const admin = await identify(stored('oidc:acme:olga'), '{ platform: admin }');
  expect(admin).toMatchObject({ kind: 'known', principal: { scopes: ['standing:read', 'policy:publish'] } });
  const viewer = await identify(stored('oidc:acme:olga'), '{ platform: viewer }');
  expect(viewer).toMatchObject({ kind: 'known', principal: { scopes: ['standing:read'] } });
});

it('a session of an issuer that is in the file no more has ended', async () => {
  expect(await identify(stored('oidc:gone:olga'), '{ platform: admin }')).toEqual({
    ...{ kind: 'refused', cause: 'ended', actor: 'oidc:gone:olga' },
  });
});

it('nobody gets in while sessions can not be read', async () => {
  const away = () => Promise.reject(new Error('connection refused'));
  expect(await identify(away, '{ platform: admin }')).toEqual({ kind: 'refused', cause: 'unavailable' });
});
