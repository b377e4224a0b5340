/** Tells what becomes of tokens that are not good: the app's log, its request log and, once for each end, the audit log. */
import { LRUCache } from 'lru-cache';
import { given } from '../../domain/given.js';
import type { PolicyReference } from '../../domain/policy-reference.js';
import { endKinds, type RefusedToken } from '../../domain/tokens/access-verdict.js';
import type { TokenDecision } from './decision.js';
import type { Forgery, InactiveTokensOptions } from './options.js';
import type { RequestLog } from './request-log.js';
import type { Uses } from './uses.js';
import type { VerifiedToken } from './verify.js';

export interface RefusalsOptions {
  readonly uses: Uses;
  readonly log: InactiveTokensOptions['log'];
  readonly requestLog: RequestLog | undefined;
  readonly onError: (error: unknown) => void;
}

export class Refusals {
  private readonly counted = { refused: 0, unavailable: 0 };
  /** Refusals that the audit log has, so that a client that asks on and on writes nothing. */
  private readonly told = new LRUCache<string, true>({ max: 10_000 });

  constructor(private readonly options: RefusalsOptions) {}

  counts(): { readonly refused: number; readonly unavailable: number } {
    return this.counted;
  }

  /** Anybody can send a forgery, so that the audit log would be anybody's to fill: the security log has it. */
  forged(reason: Forgery, now: number): TokenDecision {
    this.counted.refused += 1;
    this.options.log?.(
      { category: 'SECURITY', event: 'token_refused', reason },
      'a token was refused that is not one of this API',
    );
    this.options.requestLog?.note({ at: now, category: 'SECURITY', event: 'token_refused', reason });
    return { kind: 'refused', end: { kind: 'error', reason } };
  }

  /** @param lastUsedAt absent where the token's own times suffice to refuse it */
  async refused(
    { identityId, useKey: key }: VerifiedToken,
    { reason, endedAt, rule }: RefusedToken,
    policy: PolicyReference | undefined,
    now: number,
    lastUsedAt?: number,
  ): Promise<TokenDecision> {
    this.counted.refused += 1;
    const idleMinutes =
      lastUsedAt === undefined ? undefined : Math.max(0, Math.floor((now - lastUsedAt) / 60_000));
    this.options.log?.(
      {
        ...{ category: 'SECURITY', event: 'token_refused', reason, identityId },
        ...given({ rule, idleMinutes }),
      },
      'a token was refused',
    );
    this.options.requestLog?.note({
      ...{ at: now, category: 'SECURITY', event: 'token_refused', identityId, reason },
    });
    const name = `${key}/${reason}`;
    if (!this.told.has(name)) {
      this.told.set(name, true);
      await this.options.uses
        .refuse({ key, identityId, reason, endedAt, policy, ...given({ rule }) }, now)
        .catch((error: unknown) => {
          // Refused all the same. The next request with the token tells it.
          this.told.delete(name);
          this.options.onError(error);
        });
    }
    return { kind: 'refused', end: { kind: endKinds[reason], reason, endedAt, ...given({ rule }) } };
  }

  /** The audit log has the end of this use by the idle limit. */
  noteEnded(key: string): void {
    this.told.set(`${key}/idle`, true);
  }

  /** @param judged the token, where the policy lets its own times decide; absent: it is refused */
  unjudged(
    system: string,
    identityId: string | undefined,
    judged: VerifiedToken | undefined,
    now: number,
  ): TokenDecision {
    this.counted.unavailable += 1;
    this.options.log?.(
      { category: 'SECURITY', event: 'token_unjudged', system, opens: judged !== undefined },
      judged === undefined
        ? 'a token was refused, because it could not be judged'
        : 'a token was judged by its own times alone',
    );
    this.options.requestLog?.note({
      ...{ at: now, category: 'ERROR', event: 'token_unjudged', reason: system },
      ...given({ identityId }),
    });
    if (judged === undefined) return { kind: 'unavailable', system };
    return { kind: 'good', token: { identityId: judged.identityId, claims: judged.claims } };
  }
}
