/** docs/revocation.md by the real Kratos, Hydra and PostgreSQL: who still accepts a revoked credential, and who does not. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { SignIn } from '../../dev/demo/ory-people.js';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { openOutside, unknownId } from '../support/system-outside.js';

const outside = openOutside();
const { people, ledger, endSessions, endTokens } = outside;
const stack = inject('stack');
let dormouse: DirectDormouse;
beforeAll(() => {
  dormouse = createDormouse({
    temporal: stack.temporal,
    postgresUrl: stack.postgres.url,
    timeoutMs: 20_000,
  });
});
afterAll(async () => {
  await dormouse.close();
  await outside.close();
});

it('after a revocation whoami, introspection and revokedBefore refuse at the first question', async () => {
  const person = await people.create('stale');
  const signIn: SignIn = (await people.signIn(person)) ?? expect.fail('no sign-in');
  const tokens = await people.authorize(person);
  const issuedAt = Date.now();
  expect(await people.isSignedIn(signIn)).toBe(true);
  expect(await people.isTokenActive(tokens.accessToken)).toBe(true);
  expect(await dormouse.revokedBefore(person.id)).toBeUndefined();

  const identityId = person.id;
  await ledger.writeNotBefore({ identityId, at: Date.now() + 1 });
  const revokedBefore = (await dormouse.revokedBefore(identityId)) ?? 0;
  expect(revokedBefore, 'known before the first call to Kratos').toBeGreaterThan(issuedAt);
  await endSessions({ identityId });
  await endTokens({ identityId });

  expect(await people.isSignedIn(signIn)).toBe(false);
  expect(await people.isTokenActive(tokens.accessToken)).toBe(false);
  expect(await people.isTokenActive(tokens.refreshToken)).toBe(false);
});

it('a session and a token that are minted in the middle are ended by the second pass', async () => {
  const person = await people.create('stale');
  const identityId = person.id;
  await endSessions({ identityId });
  const between = (await people.signIn(person)) ?? expect.fail('no sign-in');
  const tokens = await people.authorize(person);
  await endTokens({ identityId });
  const second = await endSessions({ identityId });
  expect(second.ended).toBe(1);
  expect(await people.isSignedIn(between)).toBe(false);
  expect(await people.isTokenActive(tokens.accessToken)).toBe(false);
});

it('revokedBefore never moves back, and knows nothing of strangers', async () => {
  const identityId = unknownId();
  expect(await dormouse.revokedBefore(identityId)).toBeUndefined();
  await ledger.writeNotBefore({ identityId, at: 2_000 });
  await ledger.writeNotBefore({ identityId, at: 1_000 });
  expect(await dormouse.revokedBefore(identityId)).toBe(2_000);
  await expect(dormouse.revokedBefore('anna')).rejects.toMatchObject({ name: 'InvalidIdentityIdError' });
});
