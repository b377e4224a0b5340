/** What the configuration refuses, whatever else is set. */
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, readDatabaseUrl, readSecret, type VariableName } from '../../src/config.js';

const placeholder = 'replace-me-32-characters-exactly';

describe('a placeholder of .env.example', () => {
  it.each([
    ['DORMOUSE_SERVICE_TOKENS', placeholder],
    ['DORMOUSE_SERVICE_TOKENS', `${'a'.repeat(32)},${placeholder}`],
    ['DORMOUSE_POSTGRES_URL', `postgres://dormouse_runtime:${placeholder}@postgres:5432/dormouse`],
    ['DORMOUSE_IDENTIFIER_KEY', 'replace-me-identifier-key-of-32-characters'],
    ['DORMOUSE_EVENT_SECRETS', placeholder.toUpperCase()],
  ] as const)('in %s is refused by name, without the value', (name, value) => {
    const read = () => readConfig([name], { [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(new RegExp(`${name} still has the placeholder`));
    expect(read).not.toThrow(/replace-me/i);
  });

  it('is also refused in the variables that files name', () => {
    expect(() => readSecret('RECEIVER_TOKEN', 'A receiver', { RECEIVER_TOKEN: placeholder })).toThrow(
      /RECEIVER_TOKEN still has the placeholder/,
    );
    const url = `postgres://reader:${placeholder}@db/app`;
    expect(() => readDatabaseUrl('APP_DATABASE', { APP_DATABASE: url })).toThrow(
      /APP_DATABASE still has the placeholder/,
    );
  });

  it('does not occur in a random secret', () => {
    const token = 'c'.repeat(32);
    expect(readConfig(['DORMOUSE_SERVICE_TOKENS'], { DORMOUSE_SERVICE_TOKENS: token })).toEqual({
      DORMOUSE_SERVICE_TOKENS: [token],
    });
  });
});

describe('DORMOUSE_MAIL_RATE', () => {
  const read = (rate?: string) =>
    readConfig(['DORMOUSE_MAIL_RATE'], { DORMOUSE_MAIL_RATE: rate }).DORMOUSE_MAIL_RATE;

  it('is 20 mails a second where it is unset, and may be one in a hundred seconds', () => {
    expect([read(), read('0.01'), read('7'), read('1000')]).toEqual([20, 0.01, 7, 1_000]);
  });

  it.each([
    '0',
    '0.001',
    '1001',
    '-1',
    'twenty',
    '1 000',
    'NaN',
    'Infinity',
  ])('refuses "%s" by name', (rate) => {
    expect(() => read(rate)).toThrow(/DORMOUSE_MAIL_RATE/);
  });
});

describe('DORMOUSE_RATE_… and DORMOUSE_CONCURRENCY_…', () => {
  const read = (name: VariableName, value?: string) => readConfig([name], { [name]: value })[name];

  it('have defaults, and take what the systems take', () => {
    expect([read('DORMOUSE_RATE_KRATOS'), read('DORMOUSE_RATE_HYDRA', 'auto')]).toEqual(['auto', 'auto']);
    expect([read('DORMOUSE_RATE_KRATOS', '0.1'), read('DORMOUSE_RATE_HYDRA', '5000')]).toEqual([0.1, 5_000]);
    expect([read('DORMOUSE_RATE_LEDGER'), read('DORMOUSE_RATE_SIGNALS', '7.5')]).toEqual([500, 7.5]);
    expect([read('DORMOUSE_CONCURRENCY_LEDGER'), read('DORMOUSE_CONCURRENCY_KRATOS', '64')]).toEqual([
      40, 64,
    ]);
  });

  it.each([
    '0',
    '0.05',
    '5001',
    '-1',
    'NaN',
    'Infinity',
    '100/s',
    '1e3',
    ' 1',
    'Auto',
  ])('refuse "%s" with the way out', (value) => {
    for (const name of ['DORMOUSE_RATE_KRATOS', 'DORMOUSE_RATE_LEDGER'] as const)
      expect(() => read(name, value)).toThrow(
        new RegExp(`${name} must be .*number from 0.1 to 5000 without a unit, as 100`),
      );
    expect(() => read('DORMOUSE_CONCURRENCY_MAIL', value)).toThrow(
      /DORMOUSE_CONCURRENCY_MAIL must be a whole number from 1 to 999, as 20/,
    );
  });
});

describe('DORMOUSE_POLICY_ID', () => {
  const read = (id?: string) =>
    readConfig(['DORMOUSE_POLICY_ID'], { DORMOUSE_POLICY_ID: id }).DORMOUSE_POLICY_ID;

  it('is "default" where it is unset or empty, and otherwise what it says', () => {
    expect([read(), read(''), read('corporate-2')]).toEqual(['default', 'default', 'corporate-2']);
  });

  it.each([
    'Default',
    '2nd',
    'a b',
    'a@b.example',
    'default@1',
    'a\n',
    '-a',
    'a'.repeat(33),
  ])('refuses "%s" by name', (id) => {
    expect(() => read(id)).toThrow(/DORMOUSE_POLICY_ID must be the id in a policy file/);
  });
});
