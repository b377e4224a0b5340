/** Pins what Dormouse relies on in Hydra, against the real server. */
import { afterAll, describe, expect, it } from 'vitest';
import { openOutside, unknownId } from '../support/system-outside.js';

const outside = openOutside();
const { people } = outside;
const any = { validateStatus: () => true };
afterAll(() => outside.close());

describe.concurrent('DELETE consent with all=true', () => {
  it('answers 204 for anybody and as often as it is asked', async () => {
    const revoke = (subject: string) =>
      people.oauth2.revokeOAuth2ConsentSessions({ subject, all: true }, any).then(({ status }) => status);
    const person = await people.create('contract');
    await people.authorize(person);
    expect(await revoke(person.id)).toBe(204);
    expect(await revoke(person.id)).toBe(204);
    expect(await revoke(unknownId())).toBe(204);
  });

  it('kills access and refresh tokens of every chain, and lists no consent afterwards', async () => {
    const person = await people.create('contract');
    const first = await people.authorize(person);
    const second = await people.authorize(person);
    const tokens = [first, second].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]);
    const alive = () => Promise.all(tokens.map((token) => people.isTokenActive(token)));
    expect(await alive()).toEqual([true, true, true, true]);
    await people.oauth2.revokeOAuth2ConsentSessions({ subject: person.id, all: true });
    expect(await alive()).toEqual([false, false, false, false]);
    const { data } = await people.oauth2.listOAuth2ConsentSessions({ subject: person.id });
    expect(data).toEqual([]);
  });
});

describe.concurrent('DELETE login sessions', () => {
  it('revokes no token', async () => {
    const person = await people.create('contract');
    const { accessToken, refreshToken } = await people.authorize(person);
    const answer = await people.oauth2.revokeOAuth2LoginSessions({ subject: person.id }, any);
    expect(answer.status).toBe(204);
    expect(await people.isTokenActive(accessToken)).toBe(true);
    expect(await people.isTokenActive(refreshToken)).toBe(true);
  });
});
