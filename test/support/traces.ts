/** What the audit log says the real workflow did, in the words in which a forecast says it. */
import type { AuditRow } from '../../src/audit/log-table.js';
import type { RungName } from '../../src/domain/rungs.js';

const rungOfEvent: Readonly<Record<string, RungName>> = {
  inactivity_warned: 'warn',
  actions_suspended: 'suspend',
  tokens_revoked_stale: 'revoke',
  winback_sent: 'winback',
  account_deactivated: 'deactivate',
  account_deleted: 'delete',
};

/** One deed. `at` in epoch milliseconds. */
export interface Done {
  readonly what: string;
  readonly at: number;
}

/** @returns the deeds among the rows, in their order */
export function deedsIn(rows: readonly AuditRow[]): Done[] {
  return rows.flatMap(({ eventType, occurredAt, detail, outcome }): Done[] => {
    const rung = rungOfEvent[eventType];
    if (rung !== undefined) return [{ what: rung, at: occurredAt }];
    if (eventType === 'notice_sent' || eventType === 'notice_failed')
      return [{ what: `notice of ${String(detail.rung)}`, at: occurredAt }];
    if (eventType === 'returned' || eventType === 'account_reactivated')
      return [{ what: `return (${outcome})`, at: occurredAt }];
    return [];
  });
}
