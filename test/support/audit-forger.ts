/** Rows for the audit log, and forgeries by a superuser of the database. */
import type pg from 'pg';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import { fresh, unknownId } from './system-outside.js';

export function auditEntry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    eventId: fresh('event'),
    eventType: 'tokens_revoked_stale',
    target: unknownId(),
    actor: 'engine',
    occurredAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    policy: { id: 'default', version: 2, hash: 'f'.repeat(64) },
    stage: 'revoked',
    daysInactive: 90.12345678,
    outcome: 'done',
    detail: { sessions: 2, consents: 1, note: 'ümläut' },
    ...more,
  };
}

const tables = ['audit', 'audit_head', 'audit_checkpoint'];

/** No trigger stops a superuser. */
export async function asSuperuser(pool: pg.Pool, ...statements: string[]): Promise<void> {
  const client = await pool.connect();
  try {
    for (const table of tables) await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
    for (const statement of statements) await client.query(statement);
  } finally {
    for (const table of tables) await client.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
    client.release();
  }
}
