import { expect, it } from 'vitest';
import { TokenCache } from '../../src/middleware/personal-tokens/token-cache.js';
import type { StoredToken } from '../../src/tokens/personal/personal-tokens-table.js';

const token: StoredToken = {
  ...{ tokenId: 't', identityId: 'i', type: 'personal', name: 'n', scopes: [], roles: [] },
  ...{ createdAt: 0, owner: {} },
};

/** A cache over a table whose answers a test lets go. */
function setUp(cacheMs = 60_000) {
  const state = { isListening: true, reads: 0, answers: [] as ((stored: StoredToken | undefined) => void)[] };
  const cache = new TokenCache({ entries: 10, cacheMs }, () => state.isListening);
  const read = () => {
    state.reads += 1;
    return new Promise<StoredToken | undefined>((answer) => state.answers.push(answer));
  };
  return {
    state,
    cache,
    get: () => cache.get('key', read),
    answer: (stored: StoredToken | undefined) => state.answers.shift()?.(stored),
  };
}

it('many at once read once, and the next ones not at all', async () => {
  const { state, get, answer } = setUp();
  const all = Promise.all(Array.from({ length: 500 }, get));
  answer(token);
  expect(new Set(await all)).toEqual(new Set([token]));
  expect(await get()).toBe(token);
  expect(state.reads).toBe(1);
});

it('for no time keeps nothing', async () => {
  const { state, get, answer } = setUp(0);
  for (const stored of [token, undefined]) {
    const read = get();
    answer(stored);
    expect(await read).toBe(stored);
  }
  expect(state.reads).toBe(2);
});

it.each([
  ['the token', (cache: TokenCache) => cache.forgetToken('t')],
  ['its owner', (cache: TokenCache) => cache.forgetOwner('i')],
  ['a connection that was lost', (cache: TokenCache) => cache.forgetAll()],
])('news of %s make the next one read again', async (_what, forget) => {
  const { state, cache, get, answer } = setUp();
  const first = get();
  answer(token);
  await first;
  forget(cache);
  const second = get();
  answer(undefined);
  expect(await second).toBeUndefined();
  expect(state.reads).toBe(2);
});

it('a read that began before news answers nobody who asks after them, and is not kept', async () => {
  const { state, cache, get, answer } = setUp();
  const before = get();
  cache.forgetToken('t');
  const after = get();
  answer(token);
  answer(undefined);
  expect([await before, await after]).toEqual([token, undefined]);
  const last = get();
  answer(undefined);
  expect(await last).toBeUndefined();
  expect(state.reads).toBe(3);
});

it('nothing is kept, and nothing kept is used, while news are not heard', async () => {
  const { state, get, answer } = setUp();
  const ask = async () => {
    const asked = get();
    answer(token);
    await asked;
  };
  await ask();
  state.isListening = false;
  await ask();
  await ask();
  expect(state.reads).toBe(3);
});

it('a token that does not exist is asked for again: it may be made in the meantime', async () => {
  const { get, answer } = setUp();
  const first = get();
  answer(undefined);
  await first;
  const second = get();
  answer(token);
  expect(await second).toBe(token);
});
