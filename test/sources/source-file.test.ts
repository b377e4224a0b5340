import { describe, expect, test } from 'vitest';
import { problemOfEventType } from '../../src/sources/event-types.js';
import { parseSourceFile } from '../../src/sources/source-file.js';

const valid = `
sources:
  - name: app-audit
    connectionUrlVariable: APP_AUDIT_URL
    table: public.security_audit
    eventTypes: [login, whoami, oauth_token]
    kind: human
`;
const read = (text: string) => parseSourceFile(text, 'sources.yaml');

test('a source needs little', () => {
  expect(read(valid)).toEqual([
    {
      name: 'app-audit',
      connectionUrlVariable: 'APP_AUDIT_URL',
      table: ['public', 'security_audit'],
      columns: { identityId: 'identity_id', createdAt: 'created_at', eventType: 'event_type' },
      eventTypes: ['login', 'whoami', 'oauth_token'],
      kind: 'human',
      pollEvery: 60_000,
      overlap: 60_000,
      lookBack: 730 * 86_400_000,
      statementTimeout: 20_000,
    },
  ]);
  expect(read('sources: []')).toEqual([]);
});

describe('names of events that failed are refused', () => {
  test.each([
    'login_failed',
    'loginFailed',
    'LOGIN_FAILURE',
    'signin.failure',
    'login_attempt',
    'LoginAttempted',
    'access_denied',
    'password_incorrect',
    'login_unsuccessful',
    'account-lockout',
    'token_rejected',
    'login:error',
    '*',
    'login%',
    '',
  ])('%j', (name) => {
    expect(problemOfEventType(name)).toBeDefined();
  });
  test.each([
    'login',
    'whoami',
    'oauth_token',
    'login_success',
    'session.created',
    'document_unlocked',
    'badge_read',
  ])('but not %j', (name) => {
    expect(problemOfEventType(name)).toBeUndefined();
  });
});

test.each([
  [
    'login_failed',
    'whoami',
    'login_failed',
    /sources\.yaml:6: sources\.0\.eventTypes\.1: sounds like something that failed/,
  ],
  ['no event types', '[login, whoami, oauth_token]', '[]', /eventTypes: takes the event types/],
  [
    'a URL in the file',
    'APP_AUDIT_URL',
    'postgres://u:p@h/d',
    /takes the name of an environment variable, never the URL/,
  ],
  ['an unknown kind', 'human', 'robot', /sources\.yaml:7: sources\.0\.kind/],
  ['an unknown field', 'kind: human', 'kind: human\n    pollevery: 5m', /pollevery/],
  [
    'a short poll',
    'kind: human',
    'kind: human\n    pollEvery: 1s',
    /pollEvery: takes a duration from 10s to 1d/,
  ],
  ['no table', '    table: public.security_audit\n', '', /needs either "table" or "query"/],
  ['two statements', 'table: public.security_audit', 'query: SELECT 1; DROP TABLE x', /without semicolon/],
  ['an order', 'table: public.security_audit', 'query: DELETE FROM x', /must be one SELECT/],
  ['three parts', 'public.security_audit', 'a.b.c', /takes table, or schema\.table/],
  ['no YAML', 'kind: human', 'kind: [', /is not YAML/],
  [
    'an alias that leads nowhere',
    'kind: human',
    'kind: *nobody',
    /is not YAML: Unresolved alias.*Write the value out/,
  ],
])('%s is an error that says the way out', (_name, from, to, message) => {
  expect(() => read(valid.replace(from, to))).toThrow(message);
});

test('two sources of one name are refused', () => {
  expect(() => read(`${valid}${valid.replace('\nsources:\n', '')}`)).toThrow(/sources\.1\.name: is taken/);
});
