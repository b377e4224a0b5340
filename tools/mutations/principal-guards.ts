/** Guards of principals: nobody calls what they may not, a revoked credential ends within its bound, and no token of another purpose opens. */
import type { Guard } from './guard.js';

const scopes = { project: 'unit', tests: ['test/domain/principals/scopes.test.ts'] } as const;
const tokens = { project: 'unit', tests: ['test/principals/operator-tokens.test.ts'] } as const;
const refusals = { project: 'unit', tests: ['test/principals/refusals.test.ts'] } as const;
const gateway = { project: 'system', tests: ['test/integration/principals.test.ts'] } as const;
const forgery = { project: 'system', tests: ['test/integration/forgery.test.ts'] } as const;
const table = { project: 'system', tests: ['test/integration/credentials.test.ts'] } as const;

export const principalGuards: readonly Guard[] = [
  {
    name: 'principals: a source is the whole source',
    takenOut: {
      part: "return held.includes('signs:write') ||",
      becomes: 'return held.some((scope) => (ofSource + source).startsWith(scope)) ||',
    },
    ...scopes,
  },
  {
    name: 'principals: a scope is one of the list',
    takenOut: { value: 'text.startsWith(ofSource)' },
    ...scopes,
  },
  {
    name: 'principals: a route without a declaration is not registered',
    takenOut: {
      part: 'if (access === undefined) throw new Error(',
      becomes: 'if (access === undefined) String(',
    },
    ...gateway,
    only: 'that declares nothing',
  },
  {
    name: 'principals: a credential without the scope is refused',
    takenOut: { value: 'scopes.length > 0 ? identified : { kind: "refused", cause: "scope", actor }' },
    ...gateway,
    only: 'every scope but its own',
  },
  {
    name: "principals: an operators' route is not at the public address",
    takenOut: {
      part: 'access === undefined || !isServed(access, options.side)',
      becomes: 'access === undefined',
    },
    ...gateway,
    only: 'answers 404 to every',
  },
  {
    name: 'principals: what was known counts for a bounded time',
    takenOut: 'left out',
    ...gateway,
    only: 'counts for its time',
  },
  {
    name: 'principals: a secret that ended is refused',
    takenOut: { part: "kind: isEnded ? 'ended' : 'live'", becomes: "kind: isEnded ? 'live' : 'live'" },
    ...gateway,
    only: 'that is revoked',
  },
  {
    name: 'principals: a credential is taken from its networks only',
    takenOut: 'left out',
    ...gateway,
    only: 'outside of its networks',
  },
  {
    name: 'principals: the actor is the credential',
    takenOut: { value: '{ actor: namedActor(request, reply), ...rest, reviewAt: Date.parse(reviewAt) }' },
    ...gateway,
    only: 'older client claims',
  },
  {
    name: 'principals: a configured key has one purpose',
    takenOut: { value: 'found' },
    ...forgery,
    only: 'one of another entrance',
  },
  {
    name: 'principals: an ID token opens nothing',
    takenOut: 'left out',
    ...tokens,
  },
  {
    name: 'principals: a token of another client opens nothing',
    takenOut: {
      part: "named.every((client) => typeof client === 'string' && clients.includes(client))",
      becomes: "named.every((client) => typeof client === 'string')",
    },
    ...tokens,
  },
  {
    name: 'principals: a token is for this audience',
    takenOut: { part: 'audience: issuer.audience, algorithms', becomes: 'algorithms' },
    ...tokens,
  },
  {
    name: 'principals: metadata name their own issuer',
    takenOut: 'left out',
    ...tokens,
  },
  {
    name: 'principals: refused calls do not fill the audit log',
    takenOut: { part: 'this.seen.has(key) || this.written >= mostAMinute', becomes: 'this.seen.has(key)' },
    ...refusals,
  },
  {
    name: 'principals: an end of a credential only comes nearer',
    takenOut: {
      part: 'OR (OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at))',
      becomes: '',
    },
    ...table,
    only: 'an end never moves away',
  },
  {
    name: 'principals: two credentials of one owner are one operator',
    takenOut: { part: 'isSameOperator({ owner: other }, { owner })', becomes: 'other === approval.actor' },
    project: 'system',
    tests: ['test/integration/breaker-routes.test.ts'],
    only: 'two credentials of one owner',
  },
  {
    name: 'principals: the database counts owners as well',
    takenOut: {
      part: "EXCEPTION 'this operator agreed already' USING ERRCODE = 'unique_violation'",
      becomes: "NOTICE 'this operator agreed already'",
    },
    project: 'system',
    tests: ['test/integration/breaker-routes.test.ts'],
    only: 'also to the database',
  },
  {
    name: 'principals: a name is never given twice',
    takenOut: { part: 'EXISTS (SELECT FROM credential WHERE name = a_name)', becomes: 'false' },
    ...table,
    only: 'keeps its name for good|that two create at once is one',
  },
  {
    name: 'principals: nobody gives another person what counts people',
    takenOut: {
      part: "const counted = ['breaker:propose', 'breaker:approve'];",
      becomes: 'const counted: string[] = [];',
    },
    project: 'unit',
    tests: ['test/principals/granting.test.ts'],
    only: 'nobody else a second operator',
  },
  {
    name: 'principals: nobody gives a scope that they lack',
    takenOut: {
      part: 'isOperators(scope) && !giver.scopes.includes(scope)',
      becomes: 'isOperators(scope) && giver.scopes.length === 0',
    },
    project: 'unit',
    tests: ['test/principals/granting.test.ts'],
    only: 'that they lack',
  },
  {
    name: 'command line: a dry run changes nothing',
    takenOut: {
      part: 'return isDryRun(request) ? answerSound',
      becomes: 'return isDryRun(request) && request.is404 ? answerSound',
    },
    project: 'system',
    tests: ['test/integration/command-line.test.ts'],
    only: 'with --dry-run changes nothing',
  },
  {
    name: 'command line: a reader that has seen enough is no error',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/command-line.test.ts'],
    only: 'a reader that has seen enough',
  },
  {
    name: 'command line: a secret that is typed is not shown',
    takenOut: { part: 'output: nowhere', becomes: 'output' },
    project: 'unit',
    tests: ['test/cli/secret-input.test.ts'],
  },
  {
    name: 'command line: others may not read the credentials',
    takenOut: { value: "await open(fresh, 'wx', 0o644)" },
    project: 'unit',
    tests: ['test/cli/contexts-file.test.ts'],
    only: 'for its owner only',
  },
];
