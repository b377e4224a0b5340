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
    takenOut: {
      part: 'WHERE known.session_id = seen.session_id AND known.ended_at IS NULL',
      becomes: 'WHERE known.session_id = seen.session_id',
    },
    ...system,
    only: 'between judgement and write',
  },
  {
    name: 'sessions: requests in the background renew nothing',
    takenOut: { part: "headers['x-dormouse-background'] === '1' ||", becomes: '' },
    ...system,
    only: 'marked as background ends at the limit',
  },
  {
    name: 'sessions: a change needs the header of the app’s own pages',
    takenOut: { part: "headers[requestHeader] === '1' &&", becomes: '' },
    ...system,
    only: 'from another origin changes nothing',
  },
  {
    name: 'sessions: a lease ends without the person',
    takenOut: { condition: false },
    ...system,
    only: 'is exhausted without the person',
  },
  {
    name: 'sessions: a second factor leaves the absolute limit',
    takenOut: { value: 'stated' },
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: a second factor restarts the idle limit',
    takenOut: { value: 'Math.min(signIn.authenticatedAt, now)' },
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: Kratos is asked again before a route asks for a stronger sign-in',
    takenOut: 'left out',
    ...factor,
    only: 'leaves four hours',
  },
  {
    name: 'sessions: Kratos is asked again before a session ends',
    takenOut: { part: '} else if (!isNew) { return undefined;', becomes: '' },
    ...factor,
    only: 'the moment before the idle end',
  },
  {
    name: 'sessions: while Kratos is away no route opens that asks for a stronger sign-in',
    takenOut: { part: '.catch(() => known && { ...known, isNew: true })', becomes: '' },
    ...factor,
    only: 'stays closed while Kratos is away',
  },
  {
    name: 'sessions: times in the future lengthen nothing',
    takenOut: {
      part: 'Math.min(idleSince(times), now) + limits.idleMs',
      becomes: 'idleSince(times) + limits.idleMs',
    },
    ...unit,
  },
  {
    name: 'sessions: nothing lifts the absolute limit',
    takenOut: { value: 'idleEndsAt === null' },
    ...unit,
  },
  {
    name: 'sessions: logins that are linked stay owed where Hydra is not at hand',
    takenOut: {
      part: 'if (oauth2 === undefined) return loginSids.length === 0;',
      becomes: 'if (oauth2 === undefined) return true;',
    },
    ...system,
    only: 'is left to the sweep by a guard without Hydra',
  },
  {
    name: 'sessions: a form of the page comes from the page',
    takenOut: { condition: false },
    ...page,
    only: 'changes nothing',
  },
  {
    name: 'sessions: an answer that was overtaken changes nothing in the page',
    takenOut: { part: 'askedAt < answeredAt && serverNow < toldAt', becomes: 'false' },
    ...browser,
    only: 'that a renewal has overtaken',
  },
  {
    name: 'sessions: the page counts the time of a slow answer',
    takenOut: { value: 'serverNow - answeredAt' },
    ...browser,
    only: 'a slow answer shows too little time',
  },
  {
    name: 'sessions: a tab that is resumed after the end is covered before the server answered',
    takenOut: 'left out',
    ...browser,
    only: 'frozen past the limit',
  },
  {
    name: 'sessions: a page where nobody is signed in goes nowhere',
    takenOut: {
      part: 'if (live === undefined) settle();',
      becomes: 'if (live === undefined) end(answer.reason);',
    },
    ...browser,
    only: 'where nobody is signed in',
  },
  {
    name: 'sessions: a clock that was set back hides no sleep',
    takenOut: { part: 'Math.abs(aheadMs) > toleranceMs', becomes: 'aheadMs > toleranceMs' },
    project: 'unit',
    tests: ['test/browser'],
  },
];
