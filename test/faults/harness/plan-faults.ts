/** Which requests are made to go wrong, and how: every request of a course, times every fault that its system knows. Pure. */
import type { PlannedFault, Touch } from './call-book.js';
import { httpFaults } from './http-faults.js';
import { envelopeFaults, messageFaults } from './mail-server.js';
import { postgresFaults } from './postgres-wire.js';

export interface FaultCase extends PlannedFault {
  readonly what: string;
}

export function kindsFor({ system, what }: Touch): readonly string[] {
  if (system === 'postgres') return postgresFaults;
  if (system === 'smtp') return what === 'final dot' ? messageFaults : envelopeFaults;
  return httpFaults;
}

/** Whether it costs real seconds: those are tried once for each kind of request of a course. */
export const isSlow = (kind: string): boolean => kind === 'slow' || kind === 'no answer';

/** Whether its life waits in real time: for a slow answer, or for the end of a claim to a mail, which PostgreSQL's clock measures. */
export const waits = ({ kind, system, call }: PlannedFault): boolean =>
  isSlow(kind) || (system === 'postgres' && call.startsWith('sendMail'));

export function planFaults(touches: readonly Touch[]): FaultCase[] {
  const waited = new Set<string>();
  return touches.flatMap((touch) =>
    kindsFor(touch).flatMap((kind) => {
      const slowKey = `${touch.system} ${touch.what}`;
      if (isSlow(kind) && waited.has(slowKey)) return [];
      if (isSlow(kind)) waited.add(slowKey);
      return [{ ...touch, kind }];
    }),
  );
}

/** After these the mail server, or PostgreSQL, may have done what the worker never heard of: one more copy is allowed. */
export function isAmbiguousForMail({ call, kind, system }: PlannedFault): boolean {
  if (kind === 'dropped after the dot' || kind === 'no answer') return true;
  return system === 'postgres' && call.startsWith('sendMail');
}

/** After these there is one mail that nobody gets: refused for good, and not a notice that waits. */
export function mayLoseAMail({ call, kind }: PlannedFault): boolean {
  return call.startsWith('sendMail') && ['400', '550', '554'].includes(kind);
}
