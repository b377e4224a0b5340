/** Judges the rows of an app's table of tokens, with their owners looked at in Kratos. Changes nothing. */
import { createHash } from 'node:crypto';
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import type { StoredPolicy } from '../../policies/policies-table.js';
import { concernsOne } from '../../process/outage.js';
import { isSpared } from '../personal/spared.js';
import type { AppTokenTable } from './app-table.js';
import type { TokenSource } from './source-file.js';
import {
  cutoffOf,
  type SourcedEnd,
  type SourcedRow,
  sourcedEnd,
  sourcedToken,
  type Unusable,
} from './sourced-token.js';

export interface SourceDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly table: Pick<AppTokenTable, 'look' | 'revoke'>;
  readonly source: TokenSource;
  readonly published: StoredPolicy;
  readonly personal: PersonalTokensPolicy;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Called between two owners and two pages. */
  readonly onProgress?: () => void;
}

/** A token that is over a limit, as the breaker counts it. */
export interface DueSourced extends SourcedEnd {
  readonly key: string;
  readonly identityId: string;
  readonly idHash: string;
}

export interface JudgedSource {
  readonly due: readonly DueSourced[];
  /** Rows whose owners are exempt or on hold. */
  readonly spared: number;
  /** Rows by which nothing may be done, and why. */
  readonly unusable: Readonly<Partial<Record<Unusable, number>>>;
  /** Rows of the SELECT that are over no limit: its condition says more than the policy. */
  readonly live: number;
}

const pageSize = 5_000;
/** What one sweep keeps in memory. The next sweep continues with what exceeds it. */
const dueAtMost = 20_000;

export const hashOfId = (id: string): string => createHash('sha256').update(id).digest('hex');

/** When tokens are judged: `writeEvery` ago, because the last use may not be written yet. Epoch milliseconds. */
export const judgedAtOf = ({ personal, now }: SourceDependencies): number => now - personal.writeEvery;

/** @throws TokenSourceError. StepError where Kratos is away */
export async function judgeSource(deps: SourceDependencies): Promise<JudgedSource> {
  const { source, personal, table, onProgress } = deps;
  const judgedAt = judgedAtOf(deps);
  const cutoff = cutoffOf(source.type, personal, judgedAt);
  const due: DueSourced[] = [];
  const unusable: Partial<Record<Unusable, number>> = {};
  let spared = 0;
  let live = 0;
  if (cutoff === undefined) return { due, spared, unusable, live };
  const isExempt = sparing(deps);
  let after: string | undefined;
  for (;;) {
    onProgress?.();
    const page = await table.look({ cutoff, limit: pageSize, ...(after !== undefined && { after }) });
    for (const row of page) {
      const judged = await judgeRow(deps, row, isExempt);
      if (typeof judged === 'object') due.push(judged);
      else if (judged === 'spared') spared += 1;
      else if (judged === 'live') live += 1;
      else unusable[judged] = (unusable[judged] ?? 0) + 1;
    }
    after = page.at(-1)?.id;
    if (page.length < pageSize || due.length >= dueAtMost) return { due, spared, unusable, live };
  }
}

/** `unreadable`: Kratos has the owner in a form that is not known, so nothing may be done. */
export type Sparing = boolean | 'unreadable';

/** @returns a function that asks for each owner once */
export function sparing(deps: SourceDependencies): (identityId: string) => Promise<Sparing> {
  const known = new Map<string, Sparing>();
  return async (identityId) => {
    deps.onProgress?.();
    const before = known.get(identityId);
    if (before !== undefined) return before;
    const spared = await isSpared(deps, deps.published, identityId, deps.now).catch((error: unknown) => {
      if (concernsOne(error)) return 'unreadable' as const;
      throw error;
    });
    known.set(identityId, spared);
    return spared;
  };
}

/** What a row says by itself. */
export function dueOf(
  deps: SourceDependencies,
  row: SourcedRow,
  spared = false,
): DueSourced | 'live' | Unusable {
  const { source, personal } = deps;
  const token = sourcedToken(row);
  if (typeof token === 'string') return token;
  const end = sourcedEnd(token, source.type, personal, { judgedAt: judgedAtOf(deps), isSpared: spared });
  // guard: token sources: the rules judge, not the app’s condition
  if (end === undefined) return 'live';
  const idHash = hashOfId(token.id);
  const key = `endPersonal/${source.name}/${idHash}/${token.lastUsedAt ?? token.createdAt}`;
  return { ...end, key, idHash, identityId: token.identityId };
}

async function judgeRow(
  deps: SourceDependencies,
  row: SourcedRow,
  isExempt: (identityId: string) => Promise<Sparing>,
): Promise<DueSourced | 'live' | 'spared' | Unusable> {
  const due = dueOf(deps, row);
  if (typeof due === 'string' || due.why === 'expired') return due;
  const spared = await isExempt(due.identityId);
  // guard: token sources: an owner who can’t be read keeps the token
  if (spared === false) return due;
  // It may have expired since all the same.
  const ofSpared = dueOf(deps, row, true);
  if (ofSpared !== 'live') return ofSpared;
  return spared === 'unreadable' ? 'owner-unreadable' : 'spared';
}
