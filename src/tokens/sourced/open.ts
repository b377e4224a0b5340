/** Opens an app's table of tokens with everything that judging its rows takes. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { PolicyReader } from '../../policies/policies-table.js';
import { AppTokenTable } from './app-table.js';
import type { SourceDependencies } from './judge.js';
import type { ConnectedTokenSource } from './load.js';
import { TokenSourceError } from './source-error.js';

export interface OpenSource {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  /** Of sources that name none. */
  readonly policyId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly onProgress?: () => void;
}

/** @throws TokenSourceError where the policy has no rules, or the clock of the app's database is wrong. UnknownPolicyError */
export async function withSource<T>(
  { source, connectionUrl }: ConnectedTokenSource,
  { policyId, ...given }: OpenSource,
  work: (deps: SourceDependencies) => Promise<T>,
): Promise<T> {
  const published = await new PolicyReader(given.pool).read(source.policy ?? policyId);
  const personal = published.policy.tokens?.personal;
  if (personal === undefined) {
    const message = `the policy "${published.reference.id}" has no section "tokens.personal" for the source "${source.name}"`;
    throw new TokenSourceError(message, true);
  }
  const table = new AppTokenTable(source, connectionUrl);
  try {
    const theirs = await table.connect();
    if (Math.abs(theirs - given.now) > published.policy.breaker.clockTolerance) {
      const seconds = Math.round(Math.abs(theirs - given.now) / 1_000);
      const message = `the clock of the app's database of "${source.name}" differs from ours by ${seconds} s. Check both (NTP)`;
      throw new TokenSourceError(message, false);
    }
    return await work({ ...given, table, source, published, personal });
  } finally {
    await table.close();
  }
}
