/**
 * Starts the roll-out of every published version that was not taken to people yet. So whoever publishes needs
 * the database only, and a roll-out that was terminated goes on.
 */
import type pg from 'pg';
import { type PassReports, type Running, startPasses } from '../process/passes.js';
import { readDueRollouts } from './rollouts-table.js';
import { type RolloutPlaceOfWork, rollOut } from './start.js';

/** One pass. @returns the versions that were begun, such as `default@3` */
export async function startDueRollouts(
  options: RolloutPlaceOfWork & { readonly pool: pg.Pool },
): Promise<string[]> {
  const due = await readDueRollouts(options.pool);
  for (const { policyId, version } of due) await rollOut(options, policyId, version);
  return due.map(({ policyId, version }) => `${policyId}@${version}`);
}

const everyMs = 10_000;

/** Begins at once and then every ten seconds, also after failures. */
export function startRollouts(
  options: RolloutPlaceOfWork & { readonly pool: pg.Pool } & PassReports<readonly string[]>,
): Running {
  const known = new Set<string>();
  return startPasses({
    everyMs,
    pass: async () => {
      const begun = (await startDueRollouts(options)).filter((version) => !known.has(version));
      for (const version of begun) known.add(version);
      return begun.length === 0 ? undefined : begun;
    },
    ...options,
  });
}
