/** Guards of inactive access tokens: nothing gets around a token's times, what ended stays ended, and no forgery is taken. */
import type { Guard } from './guard.js';

const unit = { project: 'unit', tests: ['test/domain/tokens/access-verdict.test.ts'] } as const;
const apps = { project: 'system', tests: ['test/integration/inactive-tokens.test.ts'] } as const;
const page = { project: 'system', tests: ['test/integration/browser-tokens-faults.test.ts'] } as const;
const forgeries = {
  project: 'system',
  tests: ['test/integration/inactive-token-forgeries.test.ts'],
} as const;

export const accessTokenGuards: readonly Guard[] = [
  {
    name: 'access tokens: a token is young by its issue, not by the request',
    takenOut: { value: 'now + lifetime' },
    ...unit,
  },
  {
    name: 'access tokens: one without an issue is bounded by what is left of it',
    takenOut: { part: 'return expiresAt - now > lifetime', becomes: 'return expiresAt < now' },
    ...unit,
  },
  {
    name: 'access tokens: algorithms go with the kind of key',
    takenOut: {
      part: 'const wrong = wanted.filter((name) => !known.includes(name));',
      becomes: 'const wrong: string[] = known.length > 0 ? [] : [...wanted];',
    },
    project: 'unit',
    tests: ['test/middleware/inactive-token-keys.test.ts'],
  },
  {
    name: 'access tokens: no algorithm is taken but those of the list',
    takenOut: { part: 'compactVerify(token, keyOf, { algorithms })', becomes: 'compactVerify(token, keyOf)' },
    ...forgeries,
    only: 'which is not on the list',
  },
  {
    name: 'access tokens: a member that is there twice is no claim',
    takenOut: {
      part: 'const parsed = strictlyParsed(payload);',
      becomes: 'const parsed: unknown = JSON.parse(new TextDecoder().decode(payload));',
    },
    ...forgeries,
    only: 'two exp members',
  },
  {
    name: 'access tokens: another spelling of a signature is no other token',
    takenOut: { part: "hash('sha256', signedPartOf(token))", becomes: "hash('sha256', token)" },
    ...forgeries,
    only: 'in no other spelling',
  },
  {
    name: 'access tokens: of two headers none counts',
    takenOut: { part: 'return values.length > 1 ?', becomes: 'return values.length > 9 ?' },
    ...forgeries,
    only: 'two Authorization headers',
  },
  {
    name: 'access tokens: a use is written to live rows only',
    takenOut: {
      part: "WHERE known.use_key = decode(seen.key, 'hex') AND known.ended_at IS NULL",
      becomes: "WHERE known.use_key = decode(seen.key, 'hex')",
    },
    ...apps,
    only: 'between judgement and write is not brought back',
  },
  {
    name: 'access tokens: a use ends while its judged last use is the latest',
    takenOut: { part: 'ends: { judgedAt: lastUsedAt }', becomes: 'ends: {}' },
    ...apps,
    only: 'between judgement and end keeps the token',
  },
  {
    name: 'access tokens: excluded paths renew nothing',
    takenOut: { value: 'isUse && excluded !== undefined && path !== undefined' },
    ...apps,
    only: 'below excluded paths',
  },
  {
    name: 'access tokens: a revocation is heard',
    takenOut: 'left out',
    ...apps,
    only: 'is heard at once',
  },
  {
    name: 'access tokens: the page of activity shows the person’s own entries alone',
    takenOut: {
      part: 'readLines(pool, { ...filter, identityId, limit: atOnce + 1 })',
      becomes: "readLines(pool, { ...filter, ...(identityId === '' && { identityId }), limit: atOnce + 1 })",
    },
    project: 'system',
    tests: ['test/integration/activity-page.test.ts'],
    only: 'of the person alone',
  },
  {
    name: 'access tokens: a question in the background is no use by hand',
    takenOut: { value: "own.route === 'use'" },
    ...apps,
    only: 'POST use does, unless',
  },
  {
    name: 'access tokens: the page sends a token to its API alone',
    takenOut: {
      part: 'origin !== api.origin && !options.origins?.includes(origin)',
      becomes: "origin === '' && !options.origins?.includes(origin)",
    },
    ...page,
    only: 'goes to no origin but',
  },
  {
    name: 'access tokens: the page believes no late answer about a token before',
    takenOut: {
      part: 'if (token !== present || signal.aborted || isLeaving) return answer;',
      becomes: 'if (signal.aborted || isLeaving) return answer;',
    },
    ...page,
    only: 'a late answer about a token',
  },
  {
    name: 'access tokens: a sign-out elsewhere is one of this session by the server’s word alone',
    takenOut: { part: 'signedOutAt = timeline();', becomes: "end('signed_out');" },
    ...page,
    only: 'leaves a tab with another session',
  },
  {
    name: 'access tokens: the way back leads to no other origin',
    takenOut: { part: 'return url && url.origin === location.origin', becomes: 'return url' },
    ...page,
    only: 'the way back',
  },
];
