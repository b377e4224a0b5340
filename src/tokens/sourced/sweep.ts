/** Ends tokens in an app's own table that are over a limit. Two sweeps at once are harmless: one ends each token. */
import { useGrants } from '../../breaker/asking.js';
import type { PassBatch } from '../../breaker/batches.js';
import { endInBatches } from '../../breaker/end-in-batches.js';
import type { Trip } from '../../domain/breaker/trip.js';
import { dayMs } from '../../domain/duration.js';
import { breakerRules } from '../../domain/plan.js';
import { forgetIntents, intendEnds, oftenEnded, settleEnds, unsettledEnds } from './ends-table.js';
import { entriesOf } from './entries.js';
import {
  type DueSourced,
  dueOf,
  hashOfId,
  judgedAtOf,
  judgeSource,
  type SourceDependencies,
  sparing,
} from './judge.js';
import { TokenSourceError } from './source-error.js';
import { cutoffOf } from './sourced-token.js';

export interface SourceSweepDependencies extends SourceDependencies {
  readonly pass: PassBatch;
  readonly onHeld?: (trip: Trip, held: number) => void;
}

export interface SweptSource {
  readonly inactive: number;
  readonly expired: number;
  /** Left alone, because their owners are exempt or on hold. */
  readonly spared: number;
  /** Over a limit, and held by the breaker. */
  readonly held: number;
  /** Rows by which nothing may be done. */
  readonly unusable: number;
  /** There again after they were revoked, in this sweep. */
  readonly reappeared: number;
  /** There again after three ends, though nobody used them: no longer tried. */
  readonly stuck: number;
}

/** Revoked in one transaction of the app's database. */
const revokedAtOnce = 100;
const endsAtMost = 3;

/** The cutoff before which every live token was used: whether one is still live does not depend on its use. */
const allLive = (now: number): number => now + dayMs;

/** @throws TokenSourceError. StepError where Kratos is away */
export async function endSourcedTokens(deps: SourceSweepDependencies): Promise<SweptSource> {
  const { pool, pass, source, published, now, onHeld } = deps;
  await settleEarlier(deps);
  const { due, spared, unusable } = await judgeSource(deps);
  const often = await oftenEnded(pool, source.name, endsAtMost);
  const isStuck = ({ idHash, token }: DueSourced) =>
    often.has(idHash) && often.get(idHash) === token.lastUsedAt;
  const wanted = due.filter((end) => !isStuck(end));
  const counts = { inactive: 0, expired: 0, reappeared: 0 };
  const held = await endInBatches(
    {
      ...{ pool, pass, action: 'endPersonal', rules: breakerRules(published.policy), decidedAt: now },
      ...(onHeld && { onHeld }),
      of: `${published.reference.id}/${source.name}`,
      isWhole: true,
      shown: ({ idHash, why }) => ({ token: idHash.slice(0, 16), why }),
      end: async (ends) => {
        for (let from = 0; from < ends.length; from += revokedAtOnce) {
          const done = await revokeSome(deps, ends.slice(from, from + revokedAtOnce));
          for (const { why } of done.ended) counts[why] += 1;
          counts.reappeared += done.reappeared;
        }
        return true;
      },
    },
    wanted,
  );
  const strange = Object.values(unusable).reduce((sum, count) => sum + count, 0);
  return { ...counts, spared, held, unusable: strange, stuck: due.length - wanted.length };
}

/** Ends that an earlier sweep began: those that are live no more are audited, the others judged anew. */
async function settleEarlier(deps: SourceSweepDependencies): Promise<void> {
  const { pool, source, table, now } = deps;
  const hashes = await unsettledEnds(pool, source.name);
  if (hashes.length === 0) return;
  const live = await table.look({ cutoff: allLive(now), hashes, limit: hashes.length });
  const stillThere = new Set(live.map(({ id }) => hashOfId(id)));
  const gone = hashes.filter((hash) => !stillThere.has(hash));
  await settleEnds(pool, source.name, gone, 'assumed', now);
  const kept = live.filter((row) => typeof dueOf(deps, row) !== 'object');
  await forgetIntents(
    pool,
    source.name,
    kept.map(({ id }) => hashOfId(id)),
  );
}

async function revokeSome(
  deps: SourceSweepDependencies,
  ends: readonly DueSourced[],
): Promise<{ readonly ended: readonly DueSourced[]; readonly reappeared: number }> {
  const { pool, source, table, now } = deps;
  // The batch may have waited: exemptions and holds are read again, and trips.
  const isExempt = sparing(deps);
  const right: DueSourced[] = [];
  for (const end of ends) {
    if (end.why === 'expired' || (await isExempt(end.identityId)) === false) right.push(end);
  }
  const used = await useGrants(pool, 'endPersonal', right, now);
  const chosen = new Map(right.filter(({ key }) => used.has(key)).map((end) => [end.token.id, end]));
  const cutoff = cutoffOf(source.type, deps.personal, judgedAtOf(deps));
  if (chosen.size === 0 || cutoff === undefined) return { ended: [], reappeared: 0 };
  const asked = { cutoff, ids: [...chosen.keys()], limit: chosen.size };
  const hashesOf = (some: readonly DueSourced[]) => some.map(({ idHash }) => idHash);
  await intendEnds(pool, source.name, await entriesOf(deps, [...chosen.values()]), now);
  const revoked = await table
    .revoke({ ...asked, allLive: allLive(now) }, (rows) =>
      rows.flatMap((row) => {
        const again = dueOf(deps, row);
        // The same use: whoever used it meanwhile keeps it.
        // guard: token sources: whoever used it meanwhile keeps it
        return typeof again === 'object' && chosen.get(row.id)?.key === again.key ? [row.id] : [];
      }),
    )
    .catch(async (error: unknown) => {
      // It was taken back. Where nobody knows (a lost connection), the intents stay.
      if (error instanceof TokenSourceError && error.isForOperator) {
        await forgetIntents(pool, source.name, hashesOf([...chosen.values()]));
      }
      throw error;
    });
  const thereAgain = new Set(
    revoked.length === 0
      ? []
      : (await table.look({ ...asked, cutoff: allLive(now), ids: revoked })).map(({ id }) => id),
  );
  const isEnded = new Set(revoked.filter((id) => !thereAgain.has(id)));
  const ended = [...chosen.values()].filter(({ token }) => isEnded.has(token.id));
  const kept = [...chosen.values()].filter(({ token }) => !revoked.includes(token.id));
  await settleEnds(pool, source.name, hashesOf(ended), 'ended', now);
  await forgetIntents(pool, source.name, hashesOf(kept));
  return { ended, reappeared: thereAgain.size };
}
