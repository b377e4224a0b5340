/** Ending tokens, with real tokens of the real Hydra. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Tokens } from '../../dev/demo/authorization-code-flow.js';
import { createOryClients } from '../../src/ory/clients.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { openOutside, unknownId } from '../support/system-outside.js';

const outside = openOutside();
const { people, endTokens } = outside;
afterAll(() => outside.close());

const alive = async ({ accessToken, refreshToken }: Tokens) =>
  Promise.all([people.isTokenActive(accessToken), people.isTokenActive(refreshToken)]);

describe.concurrent('endTokens', () => {
  it('ends access and refresh tokens of all grants, and says how many consents there were', async () => {
    const person = await people.create('tokens');
    const first = await people.authorize(person);
    const second = await people.authorize(person);
    expect(await alive(first)).toEqual([true, true]);
    // Two grants to one client are one consent.
    expect(await endTokens({ identityId: person.id })).toEqual({ consents: 1 });
    expect(await alive(first)).toEqual([false, false]);
    expect(await alive(second)).toEqual([false, false]);
  });

  it('has nothing to do when repeated, or for somebody without tokens', async () => {
    const person = await people.create('tokens');
    await people.authorize(person);
    await endTokens({ identityId: person.id });
    expect(await endTokens({ identityId: person.id })).toEqual({ consents: 0 });
    expect(await endTokens({ identityId: unknownId() })).toEqual({ consents: 0 });
  });

  it("leaves other people's alone", async () => {
    const person = await people.create('tokens');
    const other = await people.create('tokens');
    const [, others] = [await people.authorize(person), await people.authorize(other)];
    await endTokens({ identityId: person.id });
    expect(await alive(others)).toEqual([true, true]);
  });

  it('ends one that is granted between revocation and check', async () => {
    const person = await people.create('tokens');
    const proxy = await startFaultProxy(outside.stack.hydra.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    await people.authorize(person);
    let granted: Tokens | undefined;
    const deed = async () => {
      granted = await people.authorize(person);
    };
    proxy.inject({ kind: 'meanwhile', deed }, /^DELETE .*consent/, 1);
    const ended = await outside.activitiesOn(clients).endTokens({ identityId: person.id });
    await proxy.close();
    expect(ended).toEqual({ consents: 2 });
    if (granted === undefined) throw new Error('no token was granted');
    expect(await alive(granted)).toEqual([false, false]);
  });

  it('fails, to be tried again, when they are granted as fast as they are ended', async () => {
    const person = await people.create('tokens');
    const proxy = await startFaultProxy(outside.stack.hydra.adminUrl);
    const clients = createOryClients({ kratosAdminUrl: proxy.url, hydraAdminUrl: proxy.url });
    proxy.inject({ kind: 'meanwhile', deed: () => people.authorize(person) }, /^DELETE .*consent/);
    const work = outside.activitiesOn(clients).endTokens({ identityId: person.id });
    await expect(work).rejects.toMatchObject({ type: 'TokensRemain', nonRetryable: false });
    await proxy.close();
  });
});
