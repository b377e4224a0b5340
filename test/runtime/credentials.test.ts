import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { hookVariables, refuseSharedCredentials } from '../../src/gateway/credentials.js';

const value = (name: string) => `${name}-`.repeat(8);
const own = {
  DORMOUSE_SERVICE_TOKENS: value('token'),
  DORMOUSE_EVENT_SECRETS: value('secret'),
  DORMOUSE_KRATOS_HOOK_KEYS: `${value('kratos')},${value('kratos-before')}`,
  DORMOUSE_HYDRA_HOOK_KEYS: value('hydra'),
  DORMOUSE_MAIL_HOOK_KEYS: value('mail'),
};

function refuse(env: Record<string, string>) {
  const config = readConfig(['DORMOUSE_SERVICE_TOKENS', 'DORMOUSE_EVENT_SECRETS', ...hookVariables], env);
  refuseSharedCredentials(config);
}

describe('credentials of the gateway', () => {
  it('a value of its own for each purpose: taken', () => {
    expect(() => refuse(own)).not.toThrow();
    expect(() => refuse({ DORMOUSE_SERVICE_TOKENS: value('token') })).not.toThrow();
  });

  const pairs = Object.keys(own).flatMap((one) =>
    Object.keys(own)
      .filter((other) => other < one)
      .map((other) => [one, other] as const),
  );
  it.each(pairs)('%s with a value of %s: refused by name, without the value', (one, other) => {
    const shared = value('shared');
    const refused = () => refuse({ ...own, [one]: shared, [other]: `${value('else')},${shared}` });
    expect(refused).toThrow(one);
    expect(refused).toThrow(other);
    expect(refused).not.toThrow(shared);
  });

  it('the single key for all hooks of older releases: refused, with the names of its successors', () => {
    const refused = () => refuse({ ...own, DORMOUSE_HOOK_KEYS: value('any') });
    for (const name of hookVariables) expect(refused).toThrow(name);
    expect(() => refuse({ ...own, DORMOUSE_HOOK_KEYS: '' })).not.toThrow();
  });
});
