/** Guards of refresh tokens: one line, reuse ends it, and nobody overtakes a revocation. */
import type { Guard } from './guard.js';

const system = { project: 'system', tests: ['test/integration/refresh-tokens.test.ts'] } as const;
const sweep = { project: 'system', tests: ['test/integration/refresh-sweep.test.ts'] } as const;
const routes = { project: 'system', tests: ['test/integration/refresh-routes.test.ts'] } as const;
const changes = { project: 'system', tests: ['test/integration/refresh-registry.test.ts'] } as const;
const registry = { project: 'system', tests: ['test/integration/hooks-hydra-registry.test.ts'] } as const;
const told = { project: 'system', tests: ['test/workflows/tell-ended-tokens.test.ts'] } as const;

export const refreshGuards: readonly Guard[] = [
  {
    name: 'refresh: a family is locked while it is exchanged',
    takenOut: { part: "issuer = 'app' FOR UPDATE;", becomes: "issuer = 'app';" },
    ...system,
    only: 'waits for an exchange that was validated before',
  },
  {
    name: 'refresh: the standing is read again after minting',
    takenOut: {
      part: "if (!isOwnerAdmitted(after, family.signedInAt)) return refused('account');",
      becomes: 'void after;',
    },
    ...system,
    only: 'between validation and minting, hands nothing out',
  },
  {
    name: 'refresh: a reuse ends the family',
    takenOut: 'left out',
    ...system,
    only: 'ends its family at the end of the grace',
  },
  {
    name: 'refresh: a made-up token is none of the line',
    takenOut: { value: 'timingSafeEqual(hashOf(last), hashOf(last)) ? last : undefined' },
    project: 'unit',
    tests: ['test/tokens/refresh/token.test.ts'],
  },
  {
    name: 'refresh: with a grace of 0, a clock that was set back repeats nothing',
    takenOut: { part: 'claimedAt === undefined || graceMs === 0', becomes: 'claimedAt === undefined' },
    project: 'unit',
    tests: ['test/domain/tokens/refresh-claim.test.ts'],
  },
  {
    name: 'refresh: a clock that was set back makes no old token young',
    takenOut: 'left out',
    project: 'unit',
    tests: ['test/domain/tokens/refresh-claim.test.ts'],
  },
  {
    name: 'refresh: nobody replaces a token whom it was not given to',
    takenOut: { part: 'token_hash = sha256(a_proof) AND ended_at', becomes: 'ended_at' },
    ...system,
    only: 'what it reads is no proof',
  },
  {
    name: 'refresh: an app may write nothing of a family',
    takenOut: { value: "'SELECT, UPDATE (token_hash)'" },
    ...system,
    only: 'what it reads is no proof',
  },
  {
    name: 'refresh: the families of an app that runs two releases stay its own',
    takenOut: {
      part: 'recent.policy_id IS NULL AND recent.created_at > $2',
      becomes: 'recent.policy_id IS NULL AND recent.created_at > $2 AND false',
    },
    ...sweep,
    only: 'while two releases start families side by side',
  },
  {
    name: 'refresh: what an untrusted peer forwards does not count',
    takenOut: 'left out',
    project: 'unit',
    tests: ['test/tokens/refresh/client-address.test.ts'],
  },
  {
    name: 'refresh: a family that is used stays, whatever was judged before',
    takenOut: {
      part: '(unused_since IS NULL OR greatest(last_used_at, created_at) <= unused_since)',
      becomes: 'true',
    },
    ...sweep,
    only: 'ends no family that was used, and nobody who was seen, since it was judged',
  },
  {
    name: 'refresh: nobody who was seen is revoked as inactive',
    takenOut: { part: 'seen.last_active_at > inactive_since', becomes: 'false' },
    ...sweep,
    only: 'ends no family that was used, and nobody who was seen, since it was judged',
  },
  {
    name: 'refresh: who is exempt or on hold is not revoked as stale',
    takenOut: { part: "owner.blocked_by IN ('exempt', 'hold')", becomes: 'false' },
    ...sweep,
    only: 'leaves people who are exempt or on hold',
  },
  {
    name: 'refresh: a row of Hydra stays while Hydra owes its end',
    takenOut: { part: 'ended_at <= $2 AND closed_at IS NOT NULL LIMIT', becomes: 'ended_at <= $2 LIMIT' },
    ...sweep,
    only: 'removes dead families at their time',
  },
  {
    name: 'refresh: people revoke their own families alone',
    takenOut: {
      part: 'WHERE family.identity_id = $1 AND family.ended_at IS NULL AND (',
      becomes: 'WHERE $1::uuid IS NOT NULL AND family.ended_at IS NULL AND (',
    },
    ...system,
    only: 'revoke one, all others, and all',
  },
  {
    name: 'refresh: a change by a cookie comes from the app’s own pages',
    takenOut: { part: '!isOwnRequest(request.headers, this.options.origins)', becomes: 'false' },
    ...routes,
    only: 'changes nothing by a request',
  },
  {
    name: 'refresh: Hydra gets no token for a family that ended',
    takenOut: {
      part: "if ((await followGrant?.(grant)) === false) return 'deny';",
      becomes: 'await followGrant?.(grant);',
    },
    ...registry,
    only: 'a family that ended in the registry gets no token',
  },
  {
    name: 'refresh: what ended gets no token when the policy lost its rules',
    takenOut: { part: '!(isRefresh && (await isEndedInRegistry(pool, grant.consent)))', becomes: 'true' },
    ...changes,
    only: 'is refused after the policy lost its rules',
  },
  {
    name: 'refresh: a stale family of Hydra is not brought back by its refresh',
    takenOut: {
      part: 'AND greatest(last_used_at, created_at) > $3 AND created_at > $4`',
      becomes: 'AND ($3::timestamptz, $4::timestamptz) IS NOT NULL`',
    },
    ...changes,
    only: 'of a family that is',
  },
  {
    name: 'refresh: a gateway whose clock is ahead ends nothing',
    takenOut: { part: 'await earlierNow(pool, Date.now())', becomes: 'Date.now()' },
    ...changes,
    only: 'ends nothing at a grant',
  },
  {
    name: 'refresh: who signed in since a page was read keeps the grant in Hydra',
    takenOut: { value: '[{ familyIds: [] as string[] }]' },
    ...sweep,
    only: 'spares the client of a person who signed in since it was read',
  },
  {
    name: 'refresh: a mail of an end that is tried again is the same mail',
    takenOut: {
      part: 'family.notice_id IS NULL AND family.ended_at > $1 AND family.policy_id = ANY($2)`',
      becomes: 'family.ended_at > $1 AND family.policy_id = ANY($2)`',
    },
    ...told,
    only: 'is tried again under the same key',
  },
  {
    name: 'refresh: an end is told once',
    takenOut: { value: 'void markTold' },
    ...told,
    only: 'is one mail, sent once',
  },
  {
    name: 'refresh: who was suspended since a page was read is not told',
    takenOut: { value: '[noticeId]' },
    ...told,
    only: 'who was suspended after their notice was read',
  },
  {
    name: 'refresh: a mail tells a prefix of an address, never the whole',
    takenOut: { part: 'WHEN 4 THEN 24 ELSE 48 END', becomes: 'WHEN 4 THEN 32 ELSE 128 END' },
    ...told,
    only: 'is one mail, sent once',
  },
];
