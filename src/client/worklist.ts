/** The work list as the client reads it. */

import type pg from 'pg';
import { given } from '../domain/given.js';
import { DormouseUnavailableError, InvalidRequestError } from '../process/caller-errors.js';
import { defaultWorklistLimits, workKinds } from '../worklist/rules.js';
import { countWork, readWork, WorkCursorError } from '../worklist/worklist.js';
import type { Worklist, WorklistRequest } from './types.js';

/** @throws InvalidRequestError, DormouseUnavailableError */
export async function readWorklist(pool: pg.Pool, request: WorklistRequest): Promise<Worklist> {
  const { kind, after, limit: rows = 100, ...limits } = request;
  if (kind !== undefined && !workKinds.includes(kind)) {
    throw new InvalidRequestError(`kind: is not a kind of work. Pass one of ${workKinds.join(', ')}`);
  }
  if (!Number.isInteger(rows) || rows < 1 || rows > 1_000) {
    throw new InvalidRequestError('limit: must be a whole number from 1 to 1000');
  }
  const query = { ...defaultWorklistLimits, ...limits, now: Date.now() };
  const page = {
    rows,
    ...given({ kind, after }),
  };
  try {
    const [counts, found] = await Promise.all([countWork(pool, query), readWork(pool, query, page)]);
    return { counts, ...found };
  } catch (error) {
    if (error instanceof WorkCursorError) throw new InvalidRequestError(error.message);
    throw new DormouseUnavailableError('PostgreSQL', { cause: error });
  }
}
