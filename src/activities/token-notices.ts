/** Activity: tells people that a token of theirs is about to end. May run again at any time: each notice is one mail. */
import { Context, heartbeat, log } from '@temporalio/activity';
import { personalLimits } from '../domain/tokens/personal-limits.js';
import { dueNotice, type TokenNotice } from '../domain/tokens/personal-notices.js';
import type { PersonalTokensPolicy } from '../domain/tokens/personal-policy.js';
import { judgeToken } from '../domain/tokens/personal-verdict.js';
import { isOnHold } from '../holds/holds-table.js';
import { readCopies } from '../mail/mails-table.js';
import { latestPolicies, type StoredPolicy } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import { causeOf } from '../process/cause.js';
import { OutageWatch } from '../process/outage.js';
import { endingBy } from '../tokens/personal/ending-soon.js';
import type { StoredToken } from '../tokens/personal/personal-tokens-table.js';
import { isSpared } from '../tokens/personal/spared.js';
import type { MailActivities, MailDependencies } from './mail.js';

export interface NoticesSent {
  /** Notices that a mail server took. */
  readonly notified: number;
  /** Notices that it did not take: the next run tries again. */
  readonly unsent: number;
}

export function createTokenNoticeActivities(
  deps: Pick<MailDependencies, 'pool' | 'clock' | 'identities'>,
  { sendMail }: Pick<MailActivities, 'sendMail'>,
) {
  return {
    async sendTokenNotices(): Promise<NoticesSent> {
      const now = await earlierNow(deps.pool, await deps.clock.now());
      const counts = { notified: 0, unsent: 0 };
      const watch = new OutageWatch();
      for (const published of (await latestPolicies(deps.pool)).policies) {
        const personal = published.policy.tokens?.personal;
        if (personal === undefined || personal.notices.length === 0) continue;
        const then = now + Math.max(...personal.notices);
        for await (const token of endingBy(deps.pool, published.reference.id, personal, then)) {
          heartbeat();
          Context.current().cancellationSignal.throwIfAborted();
          try {
            if (await notifyOf(token, published, personal, now)) counts.notified += 1;
            watch.succeeded();
          } catch (error) {
            const { tokenId, identityId } = token;
            log.warn('a notice about a token was not sent', { tokenId, identityId, ...causeOf(error) });
            counts.unsent += 1;
            if (watch.failed(error)) return counts;
          }
        }
      }
      return counts;
    },
  };

  /** @returns whether a notice was sent just now */
  async function notifyOf(
    token: StoredToken,
    published: StoredPolicy,
    personal: PersonalTokensPolicy,
    now: number,
  ): Promise<boolean> {
    const verdict = judgeToken(token, personalLimits(personal, token), token.owner, personal, now);
    if (verdict.state === 'refused') return false;
    const notice = dueNotice(token, verdict, personal.notices, now);
    if (notice === undefined) return false;
    const { identityId, tokenId, createdAt, lastUsedAt = createdAt } = token;
    const key = keyOf(tokenId, notice);
    const copies = (await readCopies(deps.pool, identityId, [key])).get(key) ?? [];
    const isSettled =
      copies.length > 0 && !copies.some((state) => state === 'sending' || state === 'deferred');
    // guard: tokens: a notice is one mail
    if (isSettled) return false;
    if (await isUnwanted(notice, published, identityId, now)) {
      if (notice.by === 'expiry') return false;
      // Its expiry may be near all the same.
      return notifyOf({ ...token, owner: { ...token.owner, isSpared: true } }, published, personal, now);
    }
    const { outcome } = await sendMail({
      ...{ identityId, key, kind: 'token-ends', proofNeeded: false },
      inactiveForMs: Math.max(0, now - Math.max(createdAt, lastUsedAt)),
      upcoming: { action: 'end-token', at: notice.endsAt },
      token: { tokenId, by: notice.by },
    });
    return outcome === 'accepted' || outcome === 'ambiguous';
  }

  /** A hold stops mails. Whoever is exempt loses no token for inactivity, and is told of none. */
  function isUnwanted(
    { by }: TokenNotice,
    published: StoredPolicy,
    identityId: string,
    now: number,
  ): Promise<boolean> {
    // guard: tokens: a hold stops notices
    return by === 'expiry'
      ? isOnHold(deps.pool, identityId, now)
      : isSpared(deps, published, identityId, now);
  }
}

export type TokenNoticeActivities = ReturnType<typeof createTokenNoticeActivities>;

/** One mail for each token, end and lead: a token that was used has another end, and notices of its own for that. */
function keyOf(tokenId: string, { by, endsAt, leadMs }: TokenNotice): string {
  return `personal-token/${tokenId}/${by}/${endsAt}/${leadMs}`;
}
