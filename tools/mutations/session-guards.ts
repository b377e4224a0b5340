/** Guards of idle sessions: what ended stays ended, and nobody is ended by an old memory. */
import type { Guard } from './guard.js';

const system = { project: 'system', tests: ['test/integration/idle-sessions.test.ts'] } as const;
const page = { project: 'system', tests: ['test/integration/sessions-page.test.ts'] } as const;
const browser = { project: 'system', tests: ['test/integration/browser-idle-session.test.ts'] } as const;
const factor = { project: 'system', tests: ['test/integration/second-factor.test.ts'] } as const;
const unit = { project: 'unit', tests: ['test/domain/sessions'] } as const;

export const sessionGuards: readonly Guard[] = [
  {
    name: 'sessions: a presence is written to live rows only',
    file: 'src/sessions/sessions-table.ts',
    find: 'WHERE known.session_id = seen.session_id AND known.ended_at IS NULL',
    replace: 'WHERE known.session_id = seen.session_id',
    ...system,
    only: 'between judgement and write',
  },
  {
    name: 'sessions: requests in the background renew nothing',
    file: 'src/middleware/request-origin.ts',
    find: "headers['x-dormouse-background'] === '1' ||",
    replace: '',
    ...system,
    only: 'marked as background ends at the limit',
  },
  {
    name: 'sessions: a change needs the header of the app’s own pages',
    file: 'src/middleware/request-origin.ts',
    find: "headers[requestHeader] === '1' && ",
    replace: '',
    ...system,
    only: 'from another origin changes nothing',
  },
  {
    name: 'sessions: a lease ends without the person',
    file: 'src/middleware/idle-sessions/judge.ts',
    find: "renewal?.kind === 'lease' && now > leaseEndsAt(entry.stored, policy)",
    replace: 'false',
    ...system,
    only: 'is exhausted without the person',
  },
  {
    name: 'sessions: a second factor leaves the absolute limit',
    file: 'src/ory/whoami.ts',
    find: "authenticatedAt: latest(completed('aal1')) ?? stated,",
    replace: 'authenticatedAt: stated,',
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: a second factor restarts the idle limit',
    file: 'src/middleware/idle-sessions/judge.ts',
    find: 'latestAt: Math.min(signIn.latestAt, now),',
    replace: 'latestAt: Math.min(signIn.authenticatedAt, now),',
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: Kratos is asked again before a route asks for a stronger sign-in',
    file: 'src/middleware/idle-sessions/judge.ts',
    find: "if (live?.kind === 'step-up' && !isNew) return undefined;",
    replace: '',
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: Kratos is asked again before a session ends',
    file: 'src/middleware/idle-sessions/judge.ts',
    find: `      } else if (!isNew) {
        return undefined;
`,
    replace: '',
    ...factor,
    only: 'the moment before the idle end',
  },
  {
    name: 'sessions: while Kratos is away no route opens that asks for a stronger sign-in',
    file: 'src/middleware/idle-sessions/judge.ts',
    find: '.catch(() => known && { ...known, isNew: true })',
    replace: '',
    ...factor,
    only: 'stays closed while Kratos is away',
  },
  {
    name: 'sessions: times in the future lengthen nothing',
    file: 'src/domain/sessions/verdict.ts',
    find: 'Math.min(idleSince(times), now) + limits.idleMs',
    replace: 'idleSince(times) + limits.idleMs',
    ...unit,
  },
  {
    name: 'sessions: nothing lifts the absolute limit',
    file: 'src/domain/sessions/verdict.ts',
    find: 'const isAbsoluteFirst = idleEndsAt === null || absoluteEndsAt <= idleEndsAt;',
    replace: 'const isAbsoluteFirst = idleEndsAt === null;',
    ...unit,
  },
  {
    name: 'sessions: logins that are linked stay owed where Hydra is not at hand',
    file: 'src/sessions/close.ts',
    find: 'if (oauth2 === undefined) return loginSids.length === 0;',
    replace: 'if (oauth2 === undefined) return true;',
    ...system,
    only: 'is left to the sweep by a guard without Hydra',
  },
  {
    name: 'sessions: a form of the page comes from the page',
    file: 'src/people-pages/sessions-page.ts',
    find: '!isSameOrigin(request.headers, origins)',
    replace: 'false',
    ...page,
    only: 'changes nothing',
  },
  {
    name: 'sessions: an answer that was overtaken changes nothing in the page',
    file: 'src/browser/idle-session.ts',
    find: 'askedAt < this.#answeredAt && state.now < this.#live.now',
    replace: 'false',
    ...browser,
    only: 'that a renewal has overtaken',
  },
  {
    name: 'sessions: the page counts the time of a slow answer',
    file: 'src/browser/idle-session.ts',
    find: 'this.#aheadMs = state.now - askedAt;',
    replace: 'this.#aheadMs = state.now - this.#answeredAt;',
    ...browser,
    only: 'a slow answer shows too little time',
  },
  {
    name: 'sessions: a tab that is resumed after the end is covered before the server answered',
    file: 'src/browser/idle-session.ts',
    find: 'if (!isFromCache) this.#tick();',
    replace: '',
    ...browser,
    only: 'frozen past the limit',
  },
  {
    name: 'sessions: a page where nobody is signed in goes nowhere',
    file: 'src/browser/idle-session.ts',
    find: 'if (this.#live === undefined) this.#settle();',
    replace: 'if (this.#live === undefined) this.#end(answer.reason);',
    ...browser,
    only: 'where nobody is signed in',
  },
  {
    name: 'sessions: a clock that was set back hides no sleep',
    file: 'src/browser/timeline.ts',
    find: 'Math.abs(aheadMs) > toleranceMs',
    replace: 'aheadMs > toleranceMs',
    project: 'unit',
    tests: ['test/browser'],
  },
];
