/** Guards of idle sessions: what ended stays ended, and nobody is ended by an old memory. */
import type { Guard } from './guard.js';

const system = { project: 'system', tests: ['test/integration/idle-sessions.test.ts'] } as const;
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
    file: 'src/middleware/idle-sessions/origin.ts',
    find: "headers['x-dormouse-background'] === '1' ||",
    replace: '',
    ...system,
    only: 'marked as background ends at the limit',
  },
  {
    name: 'sessions: a change needs the header of the app’s own pages',
    file: 'src/middleware/idle-sessions/origin.ts',
    find: "if (headers[requestHeader] !== '1') return false;",
    replace: '',
    ...system,
    only: 'from another origin changes nothing',
  },
  {
    name: 'sessions: a lease ends without the person',
    file: 'src/middleware/idle-sessions/guard.ts',
    find: "presence?.kind === 'lease' && now > leaseEndsAt(entry.stored, policy)",
    replace: 'false',
    ...system,
    only: 'is exhausted without the person',
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
];
