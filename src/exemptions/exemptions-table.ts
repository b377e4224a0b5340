/**
 * Table `exemption`: operators' exemptions. Each decision is written together with
 * its audit entry, or not at all.
 */
import type pg from 'pg';
import type { Exemption, ExemptionKind } from '../domain/exemption.js';
import { inTransaction } from '../postgres/pool.js';
import { appendDecision } from '../standings/decision-entry.js';

/** Nothing was changed. The message says what is wrong and the way out. */
export class ExemptionRefusedError extends Error {
  override readonly name = 'ExemptionRefusedError';
}

/** A decision about an identity's exemption. */
interface ExemptionDecision {
  readonly identityId: string;
  /** Opaque id of the operator. */
  readonly actor: string;
  readonly reason: string;
  /** Time of the decision, epoch milliseconds. */
  readonly at: number;
}

export interface NewExemption extends ExemptionDecision {
  readonly kind: ExemptionKind;
  readonly owner: string;
  readonly reviewAt: number;
  readonly requestId?: string;
}

interface Row {
  readonly id: string;
  readonly identity_id: string;
  readonly kind: ExemptionKind;
  readonly reason: string;
  readonly owner: string;
  readonly review_at: Date;
  readonly set_by: string;
  readonly set_at: Date;
  readonly ended_at: Date | null;
}

const columns = 'id, identity_id, kind, reason, owner, review_at, set_by, set_at, ended_at';

function exemptionOf(row: Row): Exemption {
  return {
    id: Number(row.id),
    identityId: row.identity_id,
    kind: row.kind,
    reason: row.reason,
    owner: row.owner,
    reviewAt: row.review_at.getTime(),
    setBy: row.set_by,
    setAt: row.set_at.getTime(),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at.getTime() }),
  };
}

/** Exempts an identity. Repeating the same request changes nothing. @throws ExemptionRefusedError */
export function setExemption(pool: pg.Pool, request: NewExemption): Promise<Exemption> {
  return inTransaction(pool, async (client) => {
    const { identityId, kind, reason, owner, reviewAt, actor, at, requestId } = request;
    const inserted = await client.query<Row>(
      `INSERT INTO exemption (identity_id, kind, reason, owner, review_at, set_by, set_at, request_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING ${columns}`,
      [identityId, kind, reason, owner, new Date(reviewAt), actor, new Date(at), requestId ?? null],
    );
    const [row] = inserted.rows;
    if (row === undefined) return repeated(client, request);
    const set = exemptionOf(row);
    const detail = { exemptionId: set.id, kind, reason, owner, reviewAt };
    await appendDecision(client, request, {
      eventId: `exemption/${set.id}/set`,
      eventType: 'exemption_set',
      detail,
    });
    return set;
  });
}

/**
 * The exemption that the same request made before.
 * @throws ExemptionRefusedError where another one is in force
 */
async function repeated(client: pg.PoolClient, { identityId, requestId }: NewExemption): Promise<Exemption> {
  const found = await client.query<Row>(
    `SELECT ${columns} FROM exemption WHERE identity_id = $1 AND request_id = $2`,
    [identityId, requestId ?? null],
  );
  const [row] = found.rows;
  if (row !== undefined) return exemptionOf(row);
  throw new ExemptionRefusedError('the identity is exempt already. Review that exemption, or end it first');
}

/** An operator confirmed it until the next review. @throws ExemptionRefusedError */
export function reviewExemption(
  pool: pg.Pool,
  request: ExemptionDecision & { readonly reviewAt: number; readonly owner?: string },
): Promise<Exemption> {
  return inTransaction(pool, async (client) => {
    const { identityId, reviewAt, owner, at } = request;
    const reviewed = await changed(
      client,
      `UPDATE exemption SET review_at = $2, owner = coalesce($3, owner)
       WHERE identity_id = $1 AND ended_at IS NULL RETURNING ${columns}`,
      [identityId, new Date(reviewAt), owner ?? null],
    );
    const detail = { exemptionId: reviewed.id, reason: request.reason, owner: reviewed.owner, reviewAt };
    await appendDecision(client, request, {
      eventId: `exemption/${reviewed.id}/reviewed/${at}`,
      eventType: 'exemption_reviewed',
      detail,
    });
    return reviewed;
  });
}

/** Ends it: the ladder applies again, and every notice is given again. @throws ExemptionRefusedError */
export function endExemption(pool: pg.Pool, request: ExemptionDecision): Promise<Exemption> {
  return inTransaction(pool, async (client) => {
    const ended = await changed(
      client,
      `UPDATE exemption SET ended_at = $2 WHERE identity_id = $1 AND ended_at IS NULL RETURNING ${columns}`,
      [request.identityId, new Date(request.at)],
    );
    const detail = { exemptionId: ended.id, kind: ended.kind, reason: request.reason };
    await appendDecision(client, request, {
      eventId: `exemption/${ended.id}/ended`,
      eventType: 'exemption_ended',
      detail,
    });
    return ended;
  });
}

async function changed(client: pg.PoolClient, statement: string, values: unknown[]): Promise<Exemption> {
  const [row] = (await client.query<Row>(statement, values)).rows;
  if (row !== undefined) return exemptionOf(row);
  throw new ExemptionRefusedError(
    'no operator exempted this identity. What a policy or metadata_admin exempts is changed there',
  );
}

/** @returns the kind of the exemption in force, or `undefined` */
export async function exemptionInForce(
  pool: pg.Pool,
  identityId: string,
): Promise<ExemptionKind | undefined> {
  const found = await pool.query<{ kind: ExemptionKind }>(
    'SELECT kind FROM exemption WHERE identity_id = $1 AND ended_at IS NULL',
    [identityId],
  );
  return found.rows[0]?.kind;
}

/** @returns the exemption in force, or `undefined` */
export async function readExemption(pool: pg.Pool, identityId: string): Promise<Exemption | undefined> {
  const found = await pool.query<Row>(
    `SELECT ${columns} FROM exemption WHERE identity_id = $1 AND ended_at IS NULL`,
    [identityId],
  );
  return found.rows.map(exemptionOf)[0];
}

/** The position at which a page of {@link exemptionsInForce} ended. */
export interface ExemptionPlace {
  readonly reviewAt: number;
  readonly id: number;
}

/**
 * @returns one page of the exemptions in force, the earliest review first; up to a
 * review time where one is given
 */
export async function exemptionsInForce(
  pool: pg.Pool,
  page: { readonly after?: ExemptionPlace; readonly reviewUpTo?: number; readonly rows: number },
): Promise<Exemption[]> {
  const { after, reviewUpTo, rows } = page;
  const found = await pool.query<Row>(
    `SELECT ${columns} FROM exemption
     WHERE ended_at IS NULL AND ($1::timestamptz IS NULL OR (review_at, id) > ($1, $2::bigint))
       AND ($3::timestamptz IS NULL OR review_at <= $3)
     ORDER BY review_at, id LIMIT $4`,
    [
      after === undefined ? null : new Date(after.reviewAt),
      after?.id ?? null,
      reviewUpTo === undefined ? null : new Date(reviewUpTo),
      rows,
    ],
  );
  return found.rows.map(exemptionOf);
}

/** @returns how many exemptions in force are due for review by then */
export async function countExemptionsToReview(pool: pg.Pool, reviewUpTo: number): Promise<number> {
  const found = await pool.query<{ count: string }>(
    'SELECT count(*) FROM exemption WHERE ended_at IS NULL AND review_at <= $1',
    [new Date(reviewUpTo)],
  );
  return Number(found.rows[0]?.count ?? 0);
}

/** The kinds of the exemptions in force of many identities at once. */
export async function exemptionsOf(
  pool: pg.Pool,
  identityIds: readonly string[],
): Promise<Map<string, ExemptionKind>> {
  const found = await pool.query<{ identity_id: string; kind: ExemptionKind }>(
    'SELECT identity_id, kind FROM exemption WHERE identity_id = ANY($1) AND ended_at IS NULL',
    [identityIds],
  );
  return new Map(found.rows.map((row) => [row.identity_id, row.kind]));
}
