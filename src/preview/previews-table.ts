/** Table `policy_preview`: what the population answered, for the publication that rests on it. */
import type pg from 'pg';
import { z } from 'zod';
import { removeOld } from '../postgres/remove-old.js';
import type { Answer } from './answer.js';
import type { Preview } from './run.js';

export interface KeptPreview {
  readonly hash: string;
  readonly policyId: string;
  /** SHA-256 of the text that was previewed. */
  readonly policyHash: string;
  /** The version in force then, as `default@3`. */
  readonly inForce: string;
  readonly answer: Answer;
}

/** There is no such preview, or several begin like this. */
export class UnknownPreviewError extends Error {
  override readonly name = 'UnknownPreviewError';
  constructor() {
    super(
      '--preview: there is no such preview, or several begin like this. Make one (dormouse policy preview FILE), and write its hash, or 12 characters of it at least',
    );
  }
}

/** The same preview again takes the later time. */
export async function keepPreview(pool: pg.Pool, preview: Preview): Promise<void> {
  const { hash, policyId, policyHash, inForce, answer, now } = preview;
  await pool.query(
    `INSERT INTO policy_preview (hash, policy_id, policy_hash, in_force, answer, made_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO UPDATE SET made_at = EXCLUDED.made_at`,
    [hash, policyId, policyHash, inForce, JSON.stringify(answer), new Date(now)],
  );
}

const hashPattern = /^[0-9a-f]{12,64}$/;
const answerSchema = z.record(z.string(), z.number());

/** @param hash the preview's hash, or its first characters. @throws UnknownPreviewError */
export async function findPreview(pool: pg.Pool, hash: string): Promise<KeptPreview> {
  if (!hashPattern.test(hash)) throw new UnknownPreviewError();
  const found = await pool.query<{
    hash: string;
    policy_id: string;
    policy_hash: string;
    in_force: string;
    answer: unknown;
  }>(
    `SELECT hash, policy_id, policy_hash, in_force, answer FROM policy_preview
     WHERE hash >= $1 AND hash < $1 || 'g' ORDER BY hash LIMIT 2`,
    [hash],
  );
  const [row] = found.rows;
  if (row === undefined || found.rows.length > 1) throw new UnknownPreviewError();
  return {
    hash: row.hash,
    policyId: row.policy_id,
    policyHash: row.policy_hash,
    inForce: row.in_force,
    answer: answerSchema.parse(row.answer),
  };
}

/** Deletes those made before this time. @returns how many were deleted */
export function forgetOldPreviews(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'policy_preview', 'made_at < $1', before);
}
