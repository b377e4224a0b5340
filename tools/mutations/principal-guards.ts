/** Guards of principals: nobody calls what they may not, a revoked credential ends within its bound, and no token of another purpose opens. */
import type { Guard } from './guard.js';

const scopes = { project: 'unit', tests: ['test/domain/principals/scopes.test.ts'] } as const;
const tokens = { project: 'unit', tests: ['test/principals/operator-tokens.test.ts'] } as const;
const refusals = { project: 'unit', tests: ['test/principals/refusals.test.ts'] } as const;
const gateway = { project: 'system', tests: ['test/integration/principals.test.ts'] } as const;
const forgery = { project: 'system', tests: ['test/integration/forgery.test.ts'] } as const;
const table = { project: 'system', tests: ['test/integration/credentials.test.ts'] } as const;
const operatorTokens = 'src/principals/operator-tokens.ts';

export const principalGuards: readonly Guard[] = [
  {
    name: 'principals: a source is the whole source',
    file: 'src/domain/principals/scopes.ts',
    find: "return held.includes('signs:write') ||",
    replace: 'return held.some((scope) => (ofSource + source).startsWith(scope)) ||',
    ...scopes,
  },
  {
    name: 'principals: a scope is one of the list',
    file: 'src/domain/principals/scopes.ts',
    find: 'text.startsWith(ofSource) && opaqueNamePattern.test(text.slice(ofSource.length))',
    replace: 'text.startsWith(ofSource)',
    ...scopes,
  },
  {
    name: 'principals: a route without a declaration is not registered',
    file: 'src/http/access.ts',
    find: 'if (access === undefined) throw new Error(',
    replace: 'if (access === undefined) String(',
    ...gateway,
    only: 'that declares nothing',
  },
  {
    name: 'principals: a credential without the scope is refused',
    file: 'src/principals/authenticator.ts',
    find: "return covers(scopes, scope) ? identified : { kind: 'refused', cause: 'scope', actor };",
    replace: 'return scopes.length > 0 ? identified : { kind: "refused", cause: "scope", actor };',
    ...gateway,
    only: 'every scope but its own',
  },
  {
    name: "principals: an operators' route is not at the public address",
    file: 'src/http/access.ts',
    find: 'access === undefined || !isServed(access, options.side)',
    replace: 'access === undefined',
    ...gateway,
    only: 'answers 404 to every',
  },
  {
    name: 'principals: what was known counts for a bounded time',
    file: 'src/principals/directory.ts',
    find: "if (monotonic - this.readAt > this.staleMs) return { kind: 'unavailable' };",
    replace: '',
    ...gateway,
    only: 'counts for its time',
  },
  {
    name: 'principals: a secret that ended is refused',
    file: 'src/principals/directory.ts',
    find: "kind: isEnded ? 'ended' : 'live'",
    replace: "kind: isEnded ? 'live' : 'live'",
    ...gateway,
    only: 'that is revoked',
  },
  {
    name: 'principals: a credential is taken from its networks only',
    file: 'src/principals/authenticator.ts',
    find: "if (!isWithin(networks, address)) return { kind: 'refused', cause: 'address', actor };",
    replace: '',
    ...gateway,
    only: 'outside of its networks',
  },
  {
    name: 'principals: the actor is the credential',
    file: 'src/standings/routes.ts',
    find: 'const decision = { ...rest, actor: namedActor(request, reply), reviewAt: Date.parse(reviewAt) };\n      return dormouse.exempt(',
    replace:
      'const decision = { actor: namedActor(request, reply), ...rest, reviewAt: Date.parse(reviewAt) };\n      return dormouse.exempt(',
    ...gateway,
    only: 'older client claims',
  },
  {
    name: 'principals: a configured key has one purpose',
    file: 'src/principals/configured.ts',
    find: 'found?.carrier === carrier && covers(found.principal.scopes, scope) ? found : undefined',
    replace: 'found',
    ...forgery,
    only: 'one of another entrance',
  },
  {
    name: 'principals: an ID token opens nothing',
    file: operatorTokens,
    find: 'if (idTokenClaims.some((claim) => claim in payload)) return false;',
    replace: '',
    ...tokens,
  },
  {
    name: 'principals: a token of another client opens nothing',
    file: operatorTokens,
    find: "named.every((client) => typeof client === 'string' && clients.includes(client))",
    replace: "named.every((client) => typeof client === 'string')",
    ...tokens,
  },
  {
    name: 'principals: a token is for this audience',
    file: operatorTokens,
    find: 'audience: issuer.audience, algorithms',
    replace: 'algorithms',
    ...tokens,
  },
  {
    name: 'principals: metadata name their own issuer',
    file: 'src/principals/issuer-keys.ts',
    find: "if (issuer !== this.issuer) throw new Error('its metadata names another issuer');",
    replace: '',
    ...tokens,
  },
  {
    name: 'principals: refused calls do not fill the audit log',
    file: 'src/principals/refusals.ts',
    find: 'this.seen.has(key) || this.written >= mostAMinute',
    replace: 'this.seen.has(key)',
    ...refusals,
  },
  {
    name: 'principals: an end of a credential only comes nearer',
    file: 'src/postgres/migrations/046_credentials.sql',
    find: 'OR (OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at))',
    replace: '',
    ...table,
    only: 'an end never moves away',
  },
  {
    name: 'principals: two credentials of one owner are one operator',
    file: 'src/breaker/releases-table.ts',
    find: 'isSameOperator({ owner: other }, { owner })',
    replace: 'other === approval.actor',
    project: 'system',
    tests: ['test/integration/breaker-routes.test.ts'],
    only: 'two credentials of one owner',
  },
  {
    name: 'principals: the database counts owners as well',
    file: 'src/postgres/migrations/047_breaker_owners.sql',
    find: "RAISE EXCEPTION 'this operator agreed already' USING ERRCODE = 'unique_violation';\n  END IF;\n  RETURN NEW;",
    replace: "RAISE NOTICE 'this operator agreed already';\n  END IF;\n  RETURN NEW;",
    project: 'system',
    tests: ['test/integration/breaker-routes.test.ts'],
    only: 'also to the database',
  },
  {
    name: 'principals: a name is never given twice',
    file: 'src/postgres/migrations/046_credentials.sql',
    find: "IF EXISTS (SELECT FROM credential WHERE name = a_name) THEN RETURN 'taken'; END IF;",
    replace: '',
    ...table,
    only: 'keeps its name for good|that two create at once is one',
  },
];
