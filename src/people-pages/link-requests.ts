/**
 * Carries out requests for a reactivation link after they were answered: neither the answer nor its time may
 * reveal whether there is such an account. Bounded: requests beyond the limit are dropped and counted.
 */
import type { IdentityApi } from '@ory/client';
import type { FastifyBaseLogger } from 'fastify';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { EngineDormouse } from '../client/engine.js';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from '../client.js';
import { callOry } from '../ory/call.js';
import { StepError, tryAgain } from '../process/step-error.js';

export interface LinkRequestsOptions {
  readonly dormouse: Pick<EngineDormouse, 'standing' | 'requestReactivationLink'>;
  readonly identities: IdentityApi;
  /**
   * Finds deactivated identities by an address on record, for people who sign in by another
   * provider. Default: finds none.
   */
  readonly findByAddress?: (address: string) => Promise<readonly string[]>;
  readonly log: FastifyBaseLogger;
}

/** Requests that ask Kratos at the same time. */
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

  /**
   * Takes a request; returns at once.
   * @param identifier as typed: it is looked up, and neither stored nor logged
   */
  take(identifier: string): void {
    const typed = identifier.trim();
    if (typed === '' || typed.length > longestIdentifier) return;
    if (this.limit.pendingCount >= mostWaiting) {
      this.dropped += 1;
      this.options.log.warn({ dropped: this.dropped }, 'requests for reactivation links were dropped');
      return;
    }
    const work = this.limit(() => this.carryOut(typed)).catch((error: unknown) => {
      // Not the error itself: it may contain what was typed.
      const what = error instanceof Error ? `${error.name}: ${safeMessage(error)}` : 'unknown';
      this.options.log.error({ what }, 'a request for a reactivation link failed');
    });
    this.open.add(work);
    void work.finally(() => this.open.delete(work));
  }

  /** Waits for all requests taken so far. */
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
      // The cheap check first: most requests need no workflow to be refused.
      if ((await dormouse.standing(id))?.stage !== 'deactivated') continue;
      try {
        await dormouse.requestReactivationLink(id);
      } catch (error) {
        // Not allowed, or requested too recently: nobody is told.
        if (!(error instanceof InvalidRequestError || error instanceof NotEnrolledError)) throw error;
      }
    }
  }
}

/** Only our own messages are known to hold nothing personal. */
function safeMessage(error: Error): string {
  const isOurs = error instanceof StepError || error instanceof DormouseUnavailableError;
  return isOurs ? error.message : 'see its name';
}
