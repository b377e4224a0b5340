/** Guards of those who check tokens, of the events that others act upon, of burial and of the work list. */
import type { Guard } from './guard.js';

const tokens = ['test/tokens/admission-rules.test.ts'];
const signals = ['test/integration/security-events.test.ts'];
const worklist = ['test/integration/worklist.test.ts'];

export const checkerGuards: readonly Guard[] = [
  {
    name: 'token hook: what was revoked stays revoked',
    file: 'src/tokens/admission-rules.ts',
    find: "if (isFromBefore(standing.notBefore, request)) return { allowed: false, why: 'revoked' };",
    replace: '',
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'token hook: a refresh without the time of its sign-in is from before',
    file: 'src/tokens/admission-rules.ts',
    find: "return grant === 'refresh_token';",
    replace: 'return false;',
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'token hook: off the bottom only a fresh sign-in gets a token',
    file: 'src/tokens/admission-rules.ts',
    find: 'return authenticatedAt >= wholeSecond(since);',
    replace: 'return true;',
    project: 'unit',
    tests: tokens,
  },
  {
    name: 'signals: only 202 says that an event was taken',
    file: 'src/security-events/push.ts',
    find: 'if (answer.status === 202) {',
    replace: 'if (answer.ok) {',
    project: 'system',
    tests: signals,
  },
  {
    name: 'signals: the events of one account keep their order',
    file: 'src/security-events/outbox-table.ts',
    find: 'WHERE earlier.receiver = due.receiver',
    replace: 'WHERE false AND earlier.receiver = due.receiver',
    project: 'system',
    tests: signals,
  },
  {
    name: 'signals: an event has the same jti at each attempt',
    file: 'src/security-events/token.ts',
    find: '.setJti(event.jti)',
    replace: '.setJti(String(Math.random()))',
    project: 'system',
    tests: signals,
  },
  {
    name: 'signals: a delivery that fails for long is parked, not forgotten',
    file: 'src/security-events/outbox-table.ts',
    find: 'const isParked = afterMs === undefined;',
    replace: 'const isParked = false;',
    project: 'system',
    tests: signals,
  },
  {
    name: 'deletion: signs of life are forgotten',
    file: 'src/deletion/tombstones-table.ts',
    find: '  forgetActivity,',
    replace: '',
    project: 'system',
    tests: ['test/integration/ledger.test.ts'],
    only: 'bury',
  },
  {
    name: 'work list: overdue reviews of exemptions',
    file: 'src/worklist/exemptions.ts',
    find: 'reviewAt === undefined || reviewAt > now',
    replace: 'reviewAt !== now',
    project: 'system',
    tests: worklist,
  },
  {
    name: 'work list: exclusions that nobody answers for',
    file: 'src/worklist/exemptions.ts',
    find: 'owner !== undefined\n        ? []',
    replace: 'policy !== undefined\n        ? []',
    project: 'system',
    tests: worklist,
  },
  {
    name: 'work list: holds that end soon',
    file: 'src/worklist/holds.ts',
    find: "where: `document ? 'hold'",
    replace: "where: `document ? 'none'",
    project: 'system',
    tests: worklist,
  },
];
