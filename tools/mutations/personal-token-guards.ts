/** Guards of personal access tokens: what ended stays ended, a refused use never counts, and no request waits for a write. */
import type { Guard } from './guard.js';

const unit = { project: 'unit', tests: ['test/domain/tokens'] } as const;
const memory = { project: 'unit', tests: ['test/middleware/token-cache.test.ts'] } as const;
const sweep = { project: 'system', tests: ['test/workflows/end-personal-tokens.test.ts'] } as const;
const table = { project: 'system', tests: ['test/integration/personal-tokens-table.test.ts'] } as const;
const apps = { project: 'system', tests: ['test/integration/personal-tokens.test.ts'] } as const;

export const personalTokenGuards: readonly Guard[] = [
  {
    name: 'tokens: the end is the instant of the limit',
    file: 'src/domain/tokens/personal-verdict.ts',
    find: 'at !== null && now >= at',
    replace: 'at !== null && now > at',
    ...unit,
  },
  {
    name: 'tokens: a time in the future lengthens nothing',
    file: 'src/domain/tokens/personal-verdict.ts',
    find: 'Math.min(Math.max(createdAt, lastUsedAt), now)',
    replace: 'Math.max(createdAt, lastUsedAt)',
    ...unit,
  },
  {
    name: 'tokens: a checksum is padded',
    file: 'src/domain/tokens/personal-token.ts',
    find: "return digits.padStart(length, '0');",
    replace: 'return digits;',
    ...unit,
  },
  {
    name: 'tokens: a type that is not the policy’s own is no type',
    file: 'src/domain/tokens/personal-request.ts',
    find: 'type === usualType || Object.hasOwn(types, type)',
    replace: 'type === usualType || type in types',
    ...unit,
  },
  {
    name: 'tokens: a read from before news is not kept',
    file: 'src/middleware/personal-tokens/token-cache.ts',
    find: 'wasListening && age === this.age',
    replace: 'wasListening',
    ...memory,
  },
  {
    name: 'tokens: nothing is kept while news are not heard',
    file: 'src/middleware/personal-tokens/token-cache.ts',
    find: 'this.isListening() ? this.entries.get(key) : undefined',
    replace: 'this.entries.get(key)',
    ...memory,
  },
  {
    name: 'tokens: a malformed token asks nobody',
    file: 'src/middleware/personal-tokens/personal-tokens.ts',
    find: "if (!isPersonalToken(policy.prefix, token)) return this.refuse('malformed');",
    replace: '',
    ...apps,
    only: 'refused without a query',
  },
  {
    name: 'tokens: a use that the app forbids does not count',
    file: 'src/middleware/personal-tokens/request.ts',
    find: 'return status !== 401 && status !== 403;',
    replace: 'return status > 0;',
    ...apps,
    only: 'forbids does not count',
  },
  {
    name: 'tokens: a use is written to live rows only',
    file: 'src/tokens/personal/personal-tokens-table.ts',
    find: 'WHERE token.token_id = used.token_id AND token.ended_at IS NULL',
    replace: 'WHERE token.token_id = used.token_id',
    ...table,
    only: 'is final, whoever writes',
  },
  {
    name: 'tokens: what is over a limit does not come back by rotation',
    file: 'src/tokens/personal/issue.ts',
    find: "if (judgeToken(old, limits, old.owner, policy, now).state === 'refused') return { kind: 'none' };",
    replace: '',
    ...table,
    only: 'over its inactivity',
  },
  {
    name: 'tokens: the sweep asks about exemptions at the time of the act',
    file: 'src/tokens/personal/due.ts',
    find: "if (due?.why === 'inactive' && (await isSpared(",
    replace: "if (due?.why === 'expired' && (await isSpared(",
    ...sweep,
    only: 'those in use and of exempt owners stay',
  },
  {
    name: 'tokens: the sweep waits for last uses that are not written yet',
    file: 'src/tokens/personal/sweep.ts',
    find: 'const judgedAt = now - personal.writeEvery;',
    replace: 'const judgedAt = now;',
    ...sweep,
    only: 'those in use and of exempt owners stay',
  },
  {
    name: 'tokens: a notice is one mail',
    file: 'src/activities/token-notices.ts',
    find: 'if (isSettled) return false;',
    replace: '',
    ...sweep,
    only: 'each notice is one mail',
  },
  {
    name: 'tokens: nobody who is deleted gets a token',
    file: 'src/postgres/migrations/037_personal_access_tokens.sql',
    find: 'IF EXISTS (SELECT FROM tombstone WHERE identity_id = an_identity) THEN',
    replace: 'IF false THEN',
    ...table,
    only: 'for a deleted identity no token is made',
  },
  {
    name: 'tokens: a hold stops notices',
    file: 'src/activities/token-notices.ts',
    find: '? isOnHold(deps.pool, identityId, now)',
    replace: '? Promise.resolve(false)',
    ...sweep,
    only: 'each notice is one mail',
  },
];
