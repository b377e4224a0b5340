/** Which gateway a command calls, and by what it is allowed to. */
import { afterEach, expect, it, vi } from 'vitest';
import { findPlace } from '../../src/cli/desk.js';

afterEach(() => vi.unstubAllEnvs());

function environment(gateway: string, plainHttp = ''): void {
  vi.stubEnv('DORMOUSE_GATEWAY', gateway);
  vi.stubEnv('DORMOUSE_TOKEN', 'a-token');
  vi.stubEnv('DORMOUSE_PLAIN_HTTP', plainHttp);
}

it.each([
  'https://desk.example',
  'http://127.0.0.1:8322',
  'http://[::1]:8322',
])('of the environment is %s', async (gateway) => {
  environment(gateway);
  const place = await findPlace({});
  expect([place.url, await place.token()]).toEqual([gateway, 'a-token']);
});

it('of the environment is plain http to another machine only where somebody said so', async () => {
  environment('http://gateway:8322');
  await expect(findPlace({})).rejects.toThrow(/^DORMOUSE_GATEWAY: is plain http.*DORMOUSE_PLAIN_HTTP=on/);
  environment('http://gateway:8322', 'on');
  expect((await findPlace({})).url).toBe('http://gateway:8322');
});
