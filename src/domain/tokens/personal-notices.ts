/** Which notice is due ahead of a personal access token's end. Pure. */
import type { LiveToken, TokenTimes } from './personal-verdict.js';

export interface TokenNotice {
  /** What ends the token: that nobody uses it, or its expiry. A use puts off the one and not the other. */
  readonly by: 'inactive' | 'expiry';
  /** Epoch milliseconds. */
  readonly endsAt: number;
  /** How long ahead, milliseconds: one of the policy's leads. */
  readonly leadMs: number;
}

/**
 * The notice for the token's nearest end: the shortest lead that is reached, so that a notice that was missed is not sent after a later one.
 * A lead that is not shorter than the time that the token has is passed over: nobody is warned of an end as they make a token.
 * @param now epoch milliseconds
 */
export function dueNotice(
  { createdAt, lastUsedAt = createdAt }: TokenTimes,
  { expiresAt, inactiveAt }: Omit<LiveToken, 'state'>,
  leadsMs: readonly number[],
  now: number,
): TokenNotice | undefined {
  const ends = [
    ...(expiresAt === null ? [] : [{ by: 'expiry' as const, endsAt: expiresAt, from: createdAt }]),
    ...(inactiveAt === null
      ? []
      : [{ by: 'inactive' as const, endsAt: inactiveAt, from: Math.max(createdAt, lastUsedAt) }]),
  ].sort((one, other) => one.endsAt - other.endsAt);
  const [nearest] = ends;
  if (nearest === undefined) return undefined;
  const { by, endsAt, from } = nearest;
  const reached = leadsMs.filter((leadMs) => now >= endsAt - leadMs && leadMs < endsAt - from);
  return reached.length === 0 ? undefined : { by, endsAt, leadMs: Math.min(...reached) };
}
