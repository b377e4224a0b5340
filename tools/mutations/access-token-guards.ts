/** Guards of inactive access tokens: nothing gets around a token's times, what ended stays ended, and no forgery is taken. */
import type { Guard } from './guard.js';

const unit = { project: 'unit', tests: ['test/domain/tokens/access-verdict.test.ts'] } as const;
const apps = { project: 'system', tests: ['test/integration/inactive-tokens.test.ts'] } as const;
const forgeries = {
  project: 'system',
  tests: ['test/integration/inactive-token-forgeries.test.ts'],
} as const;

export const accessTokenGuards: readonly Guard[] = [
  {
    name: 'access tokens: a token is young by its issue, not by the request',
    file: 'src/domain/tokens/access-verdict.ts',
    find: 'const oldestAt = Math.min(issuedAt, now) + lifetime;',
    replace: 'const oldestAt = now + lifetime;',
    ...unit,
  },
  {
    name: 'access tokens: one without an issue is bounded by what is left of it',
    file: 'src/domain/tokens/access-verdict.ts',
    find: 'return expiresAt - now > lifetime',
    replace: 'return expiresAt < now',
    ...unit,
  },
  {
    name: 'access tokens: algorithms go with the kind of key',
    file: 'src/middleware/inactive-tokens/keys.ts',
    find: 'const wrong = wanted.filter((name) => !known.includes(name));',
    replace: 'const wrong: string[] = known.length > 0 ? [] : [...wanted];',
    project: 'unit',
    tests: ['test/middleware/inactive-token-keys.test.ts'],
  },
  {
    name: 'access tokens: no algorithm is taken but those of the list',
    file: 'src/middleware/inactive-tokens/verify.ts',
    find: 'compactVerify(token, keyOf, { algorithms })',
    replace: 'compactVerify(token, keyOf)',
    ...forgeries,
    only: 'which is not on the list',
  },
  {
    name: 'access tokens: a member that is there twice is no claim',
    file: 'src/middleware/inactive-tokens/verify.ts',
    find: 'const parsed = strictlyParsed(payload);',
    replace: 'const parsed: unknown = JSON.parse(new TextDecoder().decode(payload));',
    ...forgeries,
    only: 'two exp members',
  },
  {
    name: 'access tokens: another spelling of a signature is no other token',
    file: 'src/tokens/access/use-key.ts',
    find: "hash('sha256', signedPartOf(token))",
    replace: "hash('sha256', token)",
    ...forgeries,
    only: 'in no other spelling',
  },
  {
    name: 'access tokens: of two headers none counts',
    file: 'src/middleware/inactive-tokens/request.ts',
    find: 'return values.length > 1 ?',
    replace: 'return values.length > 9 ?',
    ...forgeries,
    only: 'two Authorization headers',
  },
  {
    name: 'access tokens: a use is written to live rows only',
    file: 'src/tokens/access/uses-table.ts',
    find: "WHERE known.use_key = decode(seen.key, 'hex') AND known.ended_at IS NULL",
    replace: "WHERE known.use_key = decode(seen.key, 'hex')",
    ...apps,
    only: 'between judgement and write is not brought back',
  },
  {
    name: 'access tokens: a use ends while its judged last use is the latest',
    file: 'src/middleware/inactive-tokens/strategy.ts',
    find: 'ends: { judgedAt: lastUsedAt }',
    replace: 'ends: {}',
    ...apps,
    only: 'between judgement and end keeps the token',
  },
  {
    name: 'access tokens: excluded paths renew nothing',
    file: 'src/middleware/inactive-tokens/strategy.ts',
    find: 'return isUse && !isBelowAny(excluded, path);',
    replace: 'return isUse && excluded !== undefined && path !== undefined;',
    ...apps,
    only: 'below excluded paths',
  },
  {
    name: 'access tokens: a revocation is heard',
    file: 'src/middleware/inactive-tokens/strategy.ts',
    find: "if (what === 'identity') this.subjects.forget(id);",
    replace: '',
    ...apps,
    only: 'is heard at once',
  },
  {
    name: 'access tokens: the page of activity shows the person’s own entries alone',
    file: 'src/people-pages/activity-page.ts',
    find: 'readLines(pool, { ...filter, identityId, limit: atOnce + 1 })',
    replace: "readLines(pool, { ...filter, ...(identityId === '' && { identityId }), limit: atOnce + 1 })",
    project: 'system',
    tests: ['test/integration/activity-page.test.ts'],
    only: 'of the person alone',
  },
];
