/** Guards of those who check tokens, of the events that others act upon, of burial and of the work list. */
import type { Guard } from './guard.js';

const tokens = ['test/tokens/admission-rules.test.ts'];
const signals = ['test/integration/security-events.test.ts'];
const worklist = ['test/integration/worklist.test.ts'];

export const checkerGuards: readonly Guard[] = [
  {
    name: 'token hook: what was revoked stays revoked',
    takenOut: 'left out',
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'token hook: a refresh without the time of its sign-in is from before',
    takenOut: { part: "return grant === 'refresh_token';", becomes: 'return false;' },
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'token hook: off the bottom only a fresh sign-in gets a token',
    takenOut: { value: 'true' },
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'security events: only 202 says that an event was taken',
    takenOut: { part: 'if (answer.status === 202) {', becomes: 'if (answer.ok) {' },
    project: 'system',
    tests: signals,
  },
  {
    name: 'security events: the events of one account keep their order',
    takenOut: {
      part: 'WHERE earlier.receiver = due.receiver',
      becomes: 'WHERE false AND earlier.receiver = due.receiver',
    },
    project: 'system',
    tests: signals,
  },
  {
    name: 'security events: an event has the same jti at each attempt',
    takenOut: { part: '.setJti(event.jti)', becomes: '.setJti(String(Math.random()))' },
    project: 'system',
    tests: signals,
  },
  {
    name: 'security events: a delivery that fails for long is parked, not forgotten',
    takenOut: { value: 'false' },
    project: 'system',
    tests: signals,
  },
  {
    name: 'deletion: signs of life are forgotten',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/ledger.test.ts'],
    only: 'bury',
  },
  {
    name: 'work list: overdue reviews of exemptions',
    takenOut: { part: 'reviewAt === undefined || reviewAt > now', becomes: 'reviewAt !== now' },
    project: 'system',
    tests: worklist,
  },
  {
    name: 'work list: exclusions that nobody answers for',
    takenOut: { part: 'owner !== undefined ? []', becomes: 'policy !== undefined ? []' },
    project: 'system',
    tests: worklist,
  },
  {
    name: 'work list: holds that end soon',
    takenOut: { part: "where: `document ? 'hold'", becomes: "where: `document ? 'none'" },
    project: 'system',
    tests: worklist,
  },
];
