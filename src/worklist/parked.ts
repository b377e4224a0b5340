/** Parked steps for operators who retry them: which, since when, and by which error. */
import type pg from 'pg';
import { given } from '../domain/given.js';
import { readStandings } from './standings.js';

export interface ParkedStep {
  readonly identityId: string;
  readonly step: string;
  readonly errorType: string;
  readonly wayOut: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

export interface ParkedQuery {
  /** Only those with this error. */
  readonly error?: string;
  /** The `next` of the page before. */
  readonly after?: string;
  readonly rows: number;
}

/** @returns a page of parked identities in the order of their ids, and where the next one begins */
export async function parkedPage(
  pool: pg.Pool,
  { error, after, rows }: ParkedQuery,
): Promise<{ parked: ParkedStep[]; next?: string }> {
  const selection = {
    where: `blocked_by = 'parked' AND ($1::text IS NULL OR document #>> '{parked,errorType}' = $1)`,
    values: [error ?? null],
  };
  const standings = await readStandings(pool, selection, after, rows);
  const next = standings.length < rows ? undefined : standings.at(-1)?.identityId;
  return {
    parked: standings.flatMap(({ identityId, parked }) =>
      parked === undefined ? [] : [{ identityId, ...parked }],
    ),
    ...given({ next }),
  };
}
