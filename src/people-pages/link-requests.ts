/**
 * Carries out requests for a reactivation link after they were answered: whoever asks must not learn from the answer, or
 * from the time that it takes, whether there is such an account. Bounded: what does not fit is dropped, and counted.
 */
import type { IdentityApi } from '@ory/client';
import type { FastifyBaseLogger } from 'fastify';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { DirectDormouse } from '../client/direct-types.js';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from '../client.js';
import { callOry } from '../ory/call.js';
import { StepError, tryAgain } from '../process/step-error.js';

export interface LinkRequestsOptions {
  readonly dormouse: Pick<DirectDormouse, 'standing' | 'requestReactivationLink'>;
  readonly identities: IdentityApi;
  /** Finds the deactivated by an address on record: nobody who signs in by another provider is called so. Default: nobody. */
  readonly findByAddress?: (address: string) => Promise<readonly string[]>;
  readonly log: FastifyBaseLogger;
}

/** Kratos is asked by so many requests at once. */
const concurrency = 2;
const mostWaiting = 200;
/** Longer than any address (RFC 5321 §4.5.3.1). */
const longestIdentifier = 320;

const found = z.array(z.object({ id: z.guid() }));

export class LinkRequests {
  private readonly limit = pLimit(concurrency);
  private readonly open = new Set<Promise<void>>();
  private dropped = 0;

  constructor(private readonly options: LinkRequestsOptions) {}

  /** Takes a request; returns at once. @param identifier as it was typed: it is looked up, and neither kept nor logged */
  take(identifier: string): void {
    const typed = identifier.trim();
    if (typed === '' || typed.length > longestIdentifier) return;
    if (this.limit.pendingCount >= mostWaiting) {
      this.dropped += 1;
      this.options.log.warn({ dropped: this.dropped }, 'requests for reactivation links were dropped');
      return;
    }
    const work = this.limit(() => this.carryOut(typed)).catch((error: unknown) => {
      // Not the error itself: what was typed may be part of it.
      const what = error instanceof Error ? `${error.name}: ${safeMessage(error)}` : 'unknown';
      this.options.log.error({ what }, 'a request for a reactivation link failed');
    });
    this.open.add(work);
    void work.finally(() => this.open.delete(work));
  }

  /** Waits for all that were taken. */
  async idle(): Promise<void> {
    await Promise.all(this.open);
  }

  private async carryOut(identifier: string): Promise<void> {
    const { dormouse, identities } = this.options;
    const answer = await callOry<unknown>('Kratos', 'listIdentities', () =>
      identities.listIdentities({ credentialsIdentifier: identifier }),
    );
    const parsed = found.safeParse(answer ?? []);
    if (!parsed.success) throw tryAgain('KratosMalformedAnswer', 'listIdentities answered no list');
    const byAddress = (await this.options.findByAddress?.(identifier)) ?? [];
    for (const id of new Set([...parsed.data.map(({ id }) => id), ...byAddress])) {
      // Cheap first: most of those who ask need no workflow to say no.
      if ((await dormouse.standing(id))?.stage !== 'deactivated') continue;
      try {
        await dormouse.requestReactivationLink(id);
      } catch (error) {
        // Not allowed, or asked for a moment ago: nobody is told.
        if (!(error instanceof InvalidRequestError || error instanceof NotEnrolledError)) throw error;
      }
    }
  }
}

/** Only messages of our own are known to hold nothing personal. */
function safeMessage(error: Error): string {
  const isOurs = error instanceof StepError || error instanceof DormouseUnavailableError;
  return isOurs ? error.message : 'see its name';
}
