/** What a gateway refuses at its start where the desk is set up by half. */
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { openDesk } from '../../src/gateway/desk.js';
import type { Operators } from '../../src/principals/load-operators.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';

const log = pino({ level: 'silent' });
const config = {
  DORMOUSE_TEMPORAL_NAMESPACE: 'default',
  ...{ DORMOUSE_POSTGRES_URL: 'postgres://127.0.0.1:1/dormouse', DORMOUSE_PRODUCT_NAME: 'Acorn' },
  ...{ DORMOUSE_DESK_URL: 'https://desk.example', DORMOUSE_TEMPORAL_UI_URL: undefined },
};

/** Nothing is asked here. */
const operations = {
  temporal: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
  ...{ taskQueue: 'dormouse', policyId: 'default', issuers: [] },
  unverified: 'never',
} as const;

function operators(desk: string): Operators {
  const text = `issuers:
  - alias: acme
    issuer: https://id.acme.example
    audience: api
    clients: [desk]
    roles: {}
${desk}`;
  const issuers = parseOperatorsFile(text, 'operators.yaml');
  return { issuers, tokens: new OperatorTokens(issuers, () => undefined), secrets: new Map() };
}

it('there is no desk where it has no address', () => {
  expect(openDesk({ ...config, DORMOUSE_DESK_URL: undefined }, undefined, operations, log)).toBeUndefined();
});

it.each([
  ['no operators are known', undefined],
  ['no issuer has a section for the desk', operators('')],
])('where %s, nobody could sign in', (_why, known) => {
  expect(() => openDesk(config, known, operations, log)).toThrow(ConfigError);
  expect(() => openDesk(config, known, operations, log)).toThrow(/DORMOUSE_DESK_URL is set, and no issuer/);
});

it('an address with a path is refused', () => {
  const withPath = { ...config, DORMOUSE_DESK_URL: 'https://desk.example/operators' };
  expect(() => openDesk(withPath, operators('    desk: { client: desk }'), operations, log)).toThrow(
    /has a path/,
  );
});
