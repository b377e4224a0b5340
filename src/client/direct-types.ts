/** What the direct client offers beyond {@link Dormouse}: calls of the gateway, which no app needs. Types only. */
import type { Standing } from '../domain/standing.js';
import type { Bounce } from '../mail/bounce.js';
import type { UnmatchedBounce } from '../mail/bounces-table.js';
import type { Dormouse, StandingDetails } from './types.js';

/** Whether a report was about a mail that is known. */
export type BounceOutcome = 'matched' | 'unmatched';

export interface DirectDormouse extends Dormouse {
  standing(identityId: string): Promise<Standing | undefined>;
  liveStanding(identityId: string): Promise<Standing & StandingDetails>;
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
  /** The reports that matched no mail, the latest first. @throws DormouseUnavailableError when PostgreSQL is away */
  unmatchedBounces(): Promise<UnmatchedBounce[]>;
}
