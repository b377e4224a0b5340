/** Parked steps for operators who retry them: which, since when, and by which error. */
import type pg from 'pg';
import { readStandings } from './standings.js';

export interface ParkedStep {
  readonly identityId: string;
  readonly step: string;
  readonly errorType: string;
  readonly wayOut: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/**
 * Reads by pages.
 * @returns parked identities in the order of their ids; with `errorType`, only those with this error
 */
export async function* parkedSteps(
  pool: pg.Pool,
  errorType?: string,
  pageRows = 1_000,
): AsyncGenerator<ParkedStep> {
  const selection = {
    where: `blocked_by = 'parked' AND ($1::text IS NULL OR document #>> '{parked,errorType}' = $1)`,
    values: [errorType ?? null],
  };
  let after: string | undefined;
  for (;;) {
    const standings = await readStandings(pool, selection, after, pageRows);
    for (const { identityId, parked } of standings) {
      if (parked !== undefined) yield { identityId, ...parked };
    }
    after = standings.at(-1)?.identityId;
    if (after === undefined || standings.length < pageRows) return;
  }
}
