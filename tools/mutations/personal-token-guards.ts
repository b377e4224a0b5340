/** Guards of personal access tokens: what ended stays ended, a refused use never counts, and no request waits for a write. */
import type { Guard } from './guard.js';

const unit = { project: 'unit', tests: ['test/domain/tokens'] } as const;
const memory = { project: 'unit', tests: ['test/middleware/token-cache.test.ts'] } as const;
const sources = { project: 'system', tests: ['test/integration/sourced-tokens.test.ts'] } as const;
const sweep = { project: 'system', tests: ['test/workflows/end-personal-tokens.test.ts'] } as const;
const table = { project: 'system', tests: ['test/integration/personal-tokens-table.test.ts'] } as const;
const apps = { project: 'system', tests: ['test/integration/personal-tokens.test.ts'] } as const;

export const personalTokenGuards: readonly Guard[] = [
  {
    name: 'tokens: the end is the instant of the limit',
    takenOut: { part: 'at !== null && now >= at', becomes: 'at !== null && now > at' },
    ...unit,
  },
  {
    name: 'tokens: a time in the future lengthens nothing',
    takenOut: {
      part: 'Math.min(Math.max(createdAt, lastUsedAt), now)',
      becomes: 'Math.max(createdAt, lastUsedAt)',
    },
    ...unit,
  },
  {
    name: 'tokens: a checksum is padded',
    takenOut: { value: 'digits' },
    ...unit,
  },
  {
    name: 'tokens: a type that is not the policy’s own is no type',
    takenOut: {
      part: 'type === usualType || Object.hasOwn(types, type)',
      becomes: 'type === usualType || type in types',
    },
    ...unit,
  },
  {
    name: 'tokens: a read from before news is not kept',
    takenOut: { part: 'wasListening && age === this.age', becomes: 'wasListening' },
    ...memory,
  },
  {
    name: 'tokens: nothing is kept while news are not heard',
    takenOut: { value: 'this.entries.get(key)' },
    ...memory,
  },
  {
    name: 'tokens: a malformed token asks nobody',
    takenOut: 'left out',
    ...apps,
    only: 'refused without a query',
  },
  {
    name: 'tokens: a use that the app forbids does not count',
    takenOut: { value: 'status > 0' },
    ...apps,
    only: 'forbids does not count',
  },
  {
    name: 'tokens: a use is written to live rows only',
    takenOut: {
      part: 'WHERE token.token_id = used.token_id AND token.ended_at IS NULL',
      becomes: 'WHERE token.token_id = used.token_id',
    },
    ...table,
    only: 'is final, whoever writes',
  },
  {
    name: 'tokens: what is over a limit does not come back by rotation',
    takenOut: 'left out',
    ...table,
    only: 'over its inactivity',
  },
  {
    name: 'tokens: the sweep asks about exemptions at the time of the act',
    takenOut: {
      part: "if (due?.why === 'inactive' && (await isSpared(",
      becomes: "if (due?.why === 'expired' && (await isSpared(",
    },
    ...sweep,
    only: 'those in use and of exempt owners stay',
  },
  {
    name: 'tokens: the sweep waits for last uses that are not written yet',
    takenOut: { value: 'now' },
    ...sweep,
    only: 'those in use and of exempt owners stay',
  },
  {
    name: 'tokens: a notice is one mail',
    takenOut: 'left out',
    ...sweep,
    only: 'each notice is one mail',
  },
  {
    name: 'tokens: nobody who is deleted gets a token',
    takenOut: {
      part: 'IF EXISTS (SELECT FROM tombstone WHERE identity_id = an_identity) THEN',
      becomes: 'IF false THEN',
    },
    ...table,
    only: 'for a deleted identity no token is made',
  },
  {
    name: 'tokens: a hold stops notices',
    takenOut: { part: '? isOnHold(deps.pool, identityId, now)', becomes: '? Promise.resolve(false)' },
    ...sweep,
    only: 'each notice is one mail',
  },
  {
    name: 'tokens: the page makes none without a fresh sign-in',
    takenOut: { value: 'whenSignedIn' },
    project: 'system',
    tests: ['test/integration/tokens-page.test.ts'],
    only: 'makes and replaces no token',
  },
  {
    name: 'tokens: a rotation is judged by the present roles',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/personal-tokens.test.ts'],
    only: 'to admin after the ceiling',
  },
  {
    name: 'token sources: a statement that revokes more than it was told is taken back',
    takenOut: { part: 'if ((rowCount ?? 0) > ids.length) {', becomes: 'if (rowCount === -1) {' },
    ...sources,
    only: 'a statement that revokes %s is taken back',
  },
  {
    name: 'token sources: what is still live is not said to be revoked',
    takenOut: { part: 'if (left.length > 0) {', becomes: 'if (left.length < 0) {' },
    ...sources,
    only: 'a statement that revokes %s is taken back',
  },
  {
    name: 'token sources: the second look and the revocation see one snapshot',
    takenOut: {
      part: "this.transaction('ISOLATION LEVEL REPEATABLE READ'",
      becomes: "this.transaction('ISOLATION LEVEL READ COMMITTED'",
    },
    ...sources,
    only: 'the update is refused by its snapshot',
  },
  {
    name: 'token sources: the app is read in a read-only transaction',
    takenOut: {
      part: "this.kept(() => this.transaction('READ ONLY'",
      becomes: "this.kept(() => this.transaction('READ WRITE'",
    },
    ...sources,
    only: 'refused by the read-only transaction',
  },
  {
    name: 'token sources: a time without zone is refused',
    takenOut: {
      part: 'if (field === undefined || field.dataTypeID === timestamptzType) continue;',
      becomes: 'if (field !== null) continue;',
    },
    ...sources,
    only: 'a time without zone',
  },
  {
    name: 'token sources: whoever used it meanwhile keeps it',
    takenOut: {
      part: "typeof again === 'object' && chosen.get(row.id)?.key === again.key",
      becomes: "typeof again !== 'number'",
    },
    ...sources,
    only: 'a use between the look and the revocation',
  },
  {
    name: 'token sources: the rules judge, not the app’s condition',
    takenOut: {
      part: "if (end === undefined) return 'live';",
      becomes:
        "if (end === undefined) return { token, why: 'inactive', endedAt: 0, key: token.id, idHash: hashOfId(token.id), identityId: token.identityId };",
    },
    ...sources,
    only: 'condition without parentheses',
  },
  {
    name: 'token sources: an owner who can’t be read keeps the token',
    takenOut: { part: 'if (spared === false) return due;', becomes: 'if (spared !== true) return due;' },
    ...sources,
    only: 'an owner whom Kratos answers in a form',
  },
];
