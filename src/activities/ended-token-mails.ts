/** Activity: tells people afterwards that refresh tokens of theirs ended by a rule. May run again at any time: each notice is one mail. */
import { Context, heartbeat } from '@temporalio/activity';
import { dayMs } from '../domain/duration.js';
import { isOnHold } from '../holds/holds-table.js';
import { latestPolicies } from '../policies/policies-table.js';
import { earlierNow } from '../postgres/database-now.js';
import { OutageWatch } from '../process/outage.js';
import { type EndNotice, gatherEnds, markTold, readUntold } from '../tokens/refresh/ended-notices-table.js';
import type { MailActivities, MailDependencies } from './mail.js';

export interface EndsTold {
  /** People whom a mail server took a mail for. */
  readonly told: number;
  /** People for whom it did not: the next sweep tries again. */
  readonly untold: number;
}

/** Nobody is told of an end that is older: of a person who was suspended or on hold for that long, it is no news. */
const newsForMs = 7 * dayMs;
/** Mails of one sweep. More wait for the next one, so that a sweep ends within its time. */
const mailsAtOnce = 2_000;
const pageSize = 100;

export function createEndedTokenActivities(
  deps: Pick<MailDependencies, 'pool' | 'clock'>,
  { sendMail }: Pick<MailActivities, 'sendMail'>,
) {
  const { pool, clock } = deps;
  return {
    /** Of families under published policies that want it. Families under an app's own policy are the app's. */
    async tellOfEndedTokens(): Promise<EndsTold> {
      const now = Math.floor(await earlierNow(pool, await clock.now()));
      const since = now - newsForMs;
      const onProgress = () => {
        heartbeat();
        Context.current().cancellationSignal.throwIfAborted();
      };
      const policyIds = (await latestPolicies(pool)).policies
        .filter(({ policy }) => policy.tokens?.refresh?.tellAfterwards === true)
        .map(({ reference }) => reference.id);
      while ((await gatherEnds(pool, { policyIds, since })) > 0) onProgress();
      const counts = { told: 0, untold: 0 };
      const watch = new OutageWatch();
      for await (const notice of untold(since)) {
        onProgress();
        try {
          if (await tell(notice, since, now)) counts.told += 1;
          watch.succeeded();
        } catch (error) {
          counts.untold += 1;
          if (watch.failed(error)) break;
        }
        // Those who can't be told do not count: they would come first at the next sweep, too.
        if (counts.told >= mailsAtOnce) break;
      }
      return counts;
    },
  };

  async function* untold(since: number): AsyncGenerator<EndNotice> {
    let after: string | undefined;
    for (;;) {
      const page = await readUntold(pool, { since, limit: pageSize, ...(after !== undefined && { after }) });
      yield* page;
      after = page.at(-1)?.noticeId;
      if (page.length < pageSize) return;
    }
  }

  /** @returns whether a mail went out */
  async function tell({ noticeId, identityId }: EndNotice, since: number, now: number): Promise<boolean> {
    // The page may be minutes old. A person who was suspended since is told after a return, if it is still news.
    if (await isOnHold(pool, identityId, now)) return false;
    // guard: refresh: who was suspended since a page was read is not told
    const [notice] = await readUntold(pool, { since, limit: 1, only: noticeId });
    if (notice === undefined) return false;
    const { outcome } = await sendMail({
      ...{ identityId, key: `refresh-tokens/ended/${noticeId}`, kind: 'access-ended', proofNeeded: false },
      inactiveForMs: 0,
      endedNoticeId: noticeId,
    });
    // guard: refresh: an end is told once
    await markTold(pool, noticeId, now);
    return outcome === 'accepted' || outcome === 'ambiguous';
  }
}

export type EndedTokenActivities = ReturnType<typeof createEndedTokenActivities>;
