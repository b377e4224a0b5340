/**
 * The client of the engine's own gateway and command line: beside what apps call, the links in mails and the reports of mails that came
 * back. It is not published.
 */
import { selfServiceActor } from '../domain/names.js';
import type { Standing } from '../domain/standing.js';
import type { Bounce } from '../mail/bounce.js';
import { recordBounce } from '../mail/bounces-table.js';
import { within } from '../process/bounded.js';
import { DormouseUnavailableError } from '../process/caller-errors.js';
import { lookAgainSignal, reactivateUpdate, requestReactivationLinkUpdate } from '../workflows/messages.js';
import { DirectClient } from './direct-client.js';
import type { DirectDormouse } from './direct-types.js';
import type { DirectOptions } from './types.js';

/** Whether a report was about a mail that is known. */
export type BounceOutcome = 'matched' | 'unmatched';

export interface EngineDormouse extends DirectDormouse {
  /**
   * Brings back somebody who followed the link that was made for the deactivation of `deactivatedAt`: only where the
   * engine deactivated them at that time and the policy lets them return. Repeating it is harmless.
   * @throws InvalidRequestError, NotEnrolledError
   */
  reactivateByLink(identityId: string, deactivatedAt: number): Promise<Standing>;
  /**
   * Mails the person a link that ends the deactivation, to the addresses that Kratos has. The answer is not to be shown
   * to whoever asked: it says whether the account is deactivated.
   * @throws InvalidRequestError where it is not allowed, or was done a while ago: ten minutes after the first mail, twice as long after each further one, a day at most. NotEnrolledError
   */
  requestReactivationLink(identityId: string): Promise<Standing>;
  /**
   * Tells that a mail of Dormouse came back. Lands in PostgreSQL and makes the lifecycle look again. A report that matches no
   * mail changes nothing, and is kept for operators.
   * @param source where it came in, for operators. Default: `app`
   * @throws DormouseUnavailableError when PostgreSQL is away
   */
  noteBounce(bounce: Bounce, source?: string): Promise<BounceOutcome>;
}

/** Opens a client. Connections are made when they are needed, so this neither waits nor fails when Temporal is away. */
export function createEngineDormouse(options: DirectOptions): EngineDormouse {
  return new EngineClient(options);
}

class EngineClient extends DirectClient implements EngineDormouse {
  reactivateByLink(identityId: string, deactivatedAt: number): Promise<Standing> {
    const actor = selfServiceActor;
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(reactivateUpdate, {
        args: [{ schemaVersion: 1, actor, reason: 'link in a mail', linkFor: deactivatedAt }],
        // The same for every link of one deactivation: however many are followed, one return comes of it.
        updateId: `${selfServiceActor}/${deactivatedAt}`,
      }),
    );
  }

  requestReactivationLink(identityId: string): Promise<Standing> {
    return this.ask(identityId, (handle) =>
      handle.executeUpdate(requestReactivationLinkUpdate, { args: [{ schemaVersion: 1 }] }),
    );
  }

  async noteBounce(bounce: Bounce, source = 'app'): Promise<BounceOutcome> {
    const noted = recordBounce(this.pool, bounce, { source, now: Date.now() });
    const { identityId } = await within(this.timeoutMs, 'PostgreSQL', noted).catch((cause: unknown) => {
      throw new DormouseUnavailableError('PostgreSQL', { cause });
    });
    if (identityId === undefined) return 'unmatched';
    // guard: a bounce wakes the lifecycle
    if (bounce.kind !== 'hard') return 'matched';
    // Best effort: whoever waits behind a notice looks again each day, and once more before the step.
    await this.lifecycles
      .ask(this.timeoutMs, identityId, (handle) => handle.signal(lookAgainSignal, { schemaVersion: 1 }))
      .catch(() => undefined);
    return 'matched';
  }
}
