/** Guards of refresh tokens: one line, reuse ends it, and nobody overtakes a revocation. */
import type { Guard } from './guard.js';

const system = { project: 'system', tests: ['test/integration/refresh-tokens.test.ts'] } as const;
const sweep = { project: 'system', tests: ['test/integration/refresh-sweep.test.ts'] } as const;
const routes = { project: 'system', tests: ['test/integration/refresh-routes.test.ts'] } as const;
const changes = { project: 'system', tests: ['test/integration/refresh-registry.test.ts'] } as const;
const registry = { project: 'system', tests: ['test/integration/hooks-hydra-registry.test.ts'] } as const;

export const refreshGuards: readonly Guard[] = [
  {
    name: 'refresh: a family is locked while it is exchanged',
    file: 'src/tokens/refresh/families-table.ts',
    find: ' FOR UPDATE OF family`,',
    replace: '`,',
    ...system,
    only: 'waits for an exchange that was validated before',
  },
  {
    name: 'refresh: the standing is read again after minting',
    file: 'src/tokens/refresh/exchange.ts',
    find: "if (!isOwnerAdmitted(after, family.signedInAt)) return refused('account');",
    replace: 'void after;',
    ...system,
    only: 'between validation and minting, hands nothing out',
  },
  {
    name: 'refresh: a reuse ends the family',
    file: 'src/tokens/refresh/exchange.ts',
    find: "      await endFamilies(client, { familyIds, why: 'reuse', ...given({ policy: reference }) }, now);\n",
    replace: '',
    ...system,
    only: 'ends its family at the end of the grace',
  },
  {
    name: 'refresh: a made-up token is none of the line',
    file: 'src/tokens/refresh/token.ts',
    find: 'return timingSafeEqual(hashOf(last), valid.tokenHash) ? last : undefined;',
    replace: 'return timingSafeEqual(hashOf(last), hashOf(last)) ? last : undefined;',
    project: 'unit',
    tests: ['test/tokens/refresh/token.test.ts'],
  },
  {
    name: 'refresh: a clock that was set back lengthens no grace',
    file: 'src/domain/tokens/refresh-claim.ts',
    find: 'Math.max(0, now - claimedAt) < graceMs',
    replace: 'now - claimedAt < graceMs',
    project: 'unit',
    tests: ['test/domain/tokens/refresh-claim.test.ts'],
  },
  {
    name: 'refresh: what an untrusted peer forwards does not count',
    file: 'src/tokens/refresh/client-address.ts',
    find: "if (!trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')) return address;",
    replace: '',
    project: 'unit',
    tests: ['test/tokens/refresh/client-address.test.ts'],
  },
  {
    name: 'refresh: a family that is used stays, whatever was judged before',
    file: 'src/postgres/migrations/038_refresh_tokens.sql',
    find: '(unused_since IS NULL OR greatest(last_used_at, created_at) <= unused_since)',
    replace: 'true',
    ...sweep,
    only: 'ends no family that was used, and nobody who was seen, since it was judged',
  },
  {
    name: 'refresh: nobody who was seen is revoked as inactive',
    file: 'src/postgres/migrations/038_refresh_tokens.sql',
    find: 'seen.last_active_at > inactive_since',
    replace: 'false',
    ...sweep,
    only: 'ends no family that was used, and nobody who was seen, since it was judged',
  },
  {
    name: 'refresh: who is exempt or on hold is not revoked as stale',
    file: 'src/postgres/migrations/038_refresh_tokens.sql',
    find: "owner.blocked_by IN ('exempt', 'hold')",
    replace: 'false',
    ...sweep,
    only: 'leaves people who are exempt or on hold',
  },
  {
    name: 'refresh: a row of Hydra stays while Hydra owes its end',
    file: 'src/tokens/refresh/sweep-table.ts',
    find: 'ended_at <= $2 AND closed_at IS NOT NULL LIMIT',
    replace: 'ended_at <= $2 LIMIT',
    ...sweep,
    only: 'removes dead families at their time',
  },
  {
    name: 'refresh: people revoke their own families alone',
    file: 'src/tokens/refresh/families-table.ts',
    find: 'WHERE family.identity_id = $1 AND family.ended_at IS NULL AND (',
    replace: 'WHERE $1::uuid IS NOT NULL AND family.ended_at IS NULL AND (',
    ...system,
    only: 'revoke one, all others, and all',
  },
  {
    name: 'refresh: a change by a cookie comes from the app’s own pages',
    file: 'src/middleware/refresh-tokens/route-table.ts',
    find: '!isOwnRequest(request.headers, this.options.origins)',
    replace: 'false',
    ...routes,
    only: 'changes nothing by a request',
  },
  {
    name: 'refresh: Hydra gets no token for a family that ended',
    file: 'src/tokens/http/hydra-token-hook.ts',
    find: "if ((await followGrant?.(grant)) === false) return 'deny';",
    replace: 'await followGrant?.(grant);',
    ...registry,
    only: 'a family that ended in the registry gets no token',
  },
  {
    name: 'refresh: what ended gets no token when the policy lost its rules',
    file: 'src/gateway/refresh-registry.ts',
    find: '!(isRefresh && (await isEndedInRegistry(pool, grant.consent)))',
    replace: 'true',
    ...changes,
    only: 'is refused after the policy lost its rules',
  },
  {
    name: 'refresh: a stale family of Hydra is not brought back by its refresh',
    file: 'src/tokens/refresh/hydra-grants.ts',
    find: 'AND greatest(last_used_at, created_at) > $3 AND created_at > $4`',
    replace: 'AND ($3::timestamptz, $4::timestamptz) IS NOT NULL`',
    ...changes,
    only: 'of a family that is',
  },
  {
    name: 'refresh: a gateway whose clock is ahead ends nothing',
    file: 'src/gateway/refresh-registry.ts',
    find: 'Math.min(Date.now(), await databaseNow(pool))',
    replace: 'Math.max(Date.now(), await databaseNow(pool))',
    ...changes,
    only: 'ends nothing at a grant',
  },
];
