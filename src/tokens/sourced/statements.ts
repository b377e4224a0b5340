/** The registered SELECT, wrapped: whatever it returns comes out as plain values, each token once. Pure. */

/**
 * The parameter's type stands first, so that it is a timestamp with time zone wherever the registered text uses it.
 * @returns SQL that answers with no row, for the types of its columns; its parameter is the cutoff
 */
export function columnsStatement(select: string): string {
  return `WITH cutoff AS (SELECT $1::timestamptz) SELECT token.* FROM (${select}\n) AS token LIMIT 0`;
}

/** Milliseconds since the epoch; an infinite time stays infinite, and NULL stays NULL. */
const epochMs = (time: string) =>
  `CASE WHEN isfinite(${time}) THEN extract(epoch FROM ${time})::float8 * 1000
     ELSE CASE WHEN ${time} > timestamptz 'epoch' THEN float8 'Infinity' WHEN ${time} < timestamptz 'epoch' THEN float8 '-Infinity' END
   END`;

/**
 * @param hasExpiry whether the SELECT has a column `expires_at`
 * @returns SQL; its parameters are the cutoff, ids and SHA-256 of ids (each null: all), the id that the page begins behind, and the rows
 */
export function pageStatement(select: string, hasExpiry: boolean): string {
  return `
    WITH cutoff AS (SELECT $1::timestamptz), found AS (
      SELECT coalesce(token.id::text, '') COLLATE "C" AS id, token.identity_id::text AS identity, token.created_at, token.last_used_at,
        ${hasExpiry ? 'token.expires_at' : 'NULL::timestamptz'} AS expires_at
      FROM (${select}\n) AS token
    ), once AS (
      SELECT id, count(*)::integer AS rows, min(identity) AS identity, max(created_at) AS created_at,
        max(last_used_at) AS last_used_at, min(expires_at) AS expires_at
      FROM found
      WHERE ($2::text[] IS NULL OR id = ANY($2))
        AND ($3::text[] IS NULL OR encode(sha256(convert_to(id, 'UTF8')), 'hex') = ANY($3))
        AND ($4::text IS NULL OR id > $4)
      GROUP BY id ORDER BY id LIMIT $5
    )
    SELECT id, rows, identity, ${epochMs('created_at')} AS created, ${epochMs('last_used_at')} AS used, ${epochMs('expires_at')} AS expires
    FROM once ORDER BY id`;
}
