/** How far the audit log is signed, for metrics. */
import type pg from 'pg';

export interface AuditFigures {
  /** When the last head was signed, epoch milliseconds. Absent: none was. */
  readonly signedAt: number | undefined;
  /** Entries after the last signed head. */
  readonly unsigned: number;
}

/** Reads the ends of two indexes. */
export async function readAuditFigures(pool: pg.Pool): Promise<AuditFigures> {
  const found = await pool.query<{ signed_at: Date | null; unsigned: string }>(
    `SELECT (SELECT max(signed_at) FROM audit_head) AS signed_at,
       coalesce((SELECT max(seq) FROM audit), 0) - coalesce((SELECT max(seq) FROM audit_head), 0) AS unsigned`,
  );
  const [row] = found.rows;
  return { signedAt: row?.signed_at?.getTime(), unsigned: Math.max(0, Number(row?.unsigned ?? 0)) };
}
