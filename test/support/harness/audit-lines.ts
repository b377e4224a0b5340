/** Audit rows as a test states them. */
import type { AuditRow } from '../../../src/audit/log-table.js';
import { dayMs } from '../../../src/domain/duration.js';

/** Whole days of inactivity, and what happened. */
export function lines(rows: readonly AuditRow[]): string[] {
  return rows.map(
    ({ daysInactive, eventType, actor }) =>
      `${Math.floor(daysInactive)} ${eventType}${actor === 'engine' ? '' : ` by ${actor}`}`,
  );
}

/** How much later than a whole day an event came, milliseconds. */
export function latenessMs({ daysInactive }: AuditRow): number {
  return (daysInactive - Math.floor(daysInactive)) * dayMs;
}
