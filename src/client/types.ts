/** What the client offers. Types only. */
import type { Exemption, ExemptionKind } from '../domain/exemption.js';
import type { HoldChoice, HoldKind } from '../domain/lifecycle/holds.js';
import type { ActivityKind } from '../domain/sign-of-life.js';
import type { Standing } from '../domain/standing.js';
import type { WorkItem, WorkKind, WorklistLimits } from '../worklist/rules.js';

/** What both ways to Dormouse take. */
export interface SharedOptions {
  /** How long {@link Dormouse.recordActivity} and {@link Dormouse.standing} may take, milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
  /** How long operators' requests may take, milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /**
   * What {@link Dormouse.recordActivity} does when nothing answers: `throw` a {@link DormouseUnavailableError}, or `drop` the sign of
   * life and count it (see {@link Dormouse.counters}). Default `throw`.
   */
  readonly whenUnavailable?: 'throw' | 'drop';
  /**
   * How long a sign of life waits in memory for others, milliseconds: what the death of the process may cost of what
   * {@link Dormouse.noteActivity} took. Default 200.
   */
  readonly batchMs?: number;
  /** Signs of life kept in memory at most, while Dormouse is slow or away. Default 100,000 (about 25 MB). */
  readonly maxPending?: number;
}

/** Over HTTP, for an app: it needs no password of a database and no access to Temporal. */
export interface DormouseOptions extends SharedOptions {
  readonly gateway: {
    /** As `https://dormouse.example`; a path before `/v1` stays. */
    readonly url: string;
    /** One of the gateway's `DORMOUSE_SERVICE_TOKENS`. */
    readonly token: string;
  };
  /**
   * Told when signs of life could not be handed on; they stay in memory and are tried again. For the app's log: the error holds neither
   * token nor personal data.
   */
  readonly onError?: (error: Error) => void;
}

/** Straight to Temporal and PostgreSQL, for programs inside the trust boundary. */
export interface DirectOptions extends SharedOptions {
  readonly temporal: {
    /** `host:port` of the Temporal frontend. */
    readonly address: string;
    /** Default `default`. */
    readonly namespace?: string;
    readonly apiKey?: string;
    readonly tls?: boolean;
  };
  /** Dormouse's own database. */
  readonly postgresUrl: string;
  /** Default `dormouse`; must be the worker's. */
  readonly taskQueue?: string;
  /** The policy of identities that this client enrols. Default: the environment's `DORMOUSE_POLICY_ID`, else `default`. */
  readonly policyId?: string;
}

export interface ActivityReport {
  /** When the person was seen: a Date or epoch milliseconds. Default: now. The future is clamped to now. */
  readonly at?: Date | number;
  /** Default `human`. */
  readonly kind?: ActivityKind;
  /** Where it was seen: a short name without personal data. Default `app`. */
  readonly source?: string;
}

/** `recorded`: safe in PostgreSQL or in the workflow. `dropped`: counted, because nothing answered. */
export type RecordOutcome = 'recorded' | 'dropped';

export interface Counters {
  /** Awaited reports that are safe in PostgreSQL or in the workflow. */
  readonly recorded: number;
  /** Awaited reports that nothing answered, and noted ones that memory had no room for. */
  readonly dropped: number;
  /** Recorded in PostgreSQL while Temporal was away: a worker tells the workflow, some seconds after it is back. 0 over HTTP. */
  readonly recordedWithoutSignal: number;
  /** Noted (see {@link Dormouse.noteActivity}). */
  readonly noted: number;
  /** Replaced by a newer sign of the same identity and kind before they were handed on: nothing is lost. */
  readonly superseded: number;
  /** In memory, not yet handed on. */
  readonly pending: number;
  /** Workflows told of activity. 0 over HTTP: the gateway tells them. */
  readonly signalled: number;
}

export interface OperatorRequest {
  /** Opaque id of the operator or program, never an e-mail address. */
  readonly actor: string;
  /** Makes repeating the call harmless. Default: a random one. */
  readonly requestId?: string;
}

export interface WorklistRequest extends Partial<WorklistLimits> {
  /** Only items of this kind. */
  readonly kind?: WorkKind;
  /** What the page before gave as `next`. */
  readonly after?: string;
  /** Items on the page, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

export interface Worklist {
  readonly counts: Readonly<Record<WorkKind, number>>;
  readonly items: readonly WorkItem[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** What apps and operators see of a standing. Times in epoch milliseconds. */
export type PublicStanding = Omit<Standing, 'offBottom' | 'signalWindowMs'>;

export interface Dormouse {
  /**
   * Tells that somebody, or something in their name, was active. Lands in PostgreSQL and wakes the workflow; late,
   * duplicate and out-of-order reports are harmless. Identities that were never enrolled are enrolled by it.
   * @throws InvalidIdentityIdError, InvalidRequestError: the caller's mistake
   * @throws DormouseUnavailableError when nothing answered and `whenUnavailable` is `throw`
   */
  recordActivity(identityId: string, report?: ActivityReport): Promise<RecordOutcome>;
  /**
   * The same for a request's path: takes note and returns at once, never waits and never fails but for the caller's
   * mistake. Signs are handed on in batches within `batchMs`; the death of the process costs at most that.
   * @throws InvalidIdentityIdError, InvalidRequestError
   */
  noteActivity(identityId: string, report?: ActivityReport): void;
  /**
   * Where the identity stands, what comes next, when and why, from the projection in PostgreSQL: cheap enough for a
   * request's path. @returns `undefined` for an identity that was never enrolled; over HTTP also for one that was deleted. @throws DormouseUnavailableError
   */
  standing(identityId: string): Promise<PublicStanding | undefined>;
  /**
   * Since when credentials are void: a token or session that was issued before must be refused, whatever its signature says
   * (docs/revocation.md). For checkers that verify offline. @returns epoch milliseconds; `undefined`: nothing was revoked
   * @throws DormouseUnavailableError
   */
  revokedBefore(identityId: string): Promise<number | undefined>;
  /** The standing from the workflow itself: exact to the millisecond, slower, for operators. @throws NotEnrolledError */
  liveStanding(identityId: string): Promise<PublicStanding>;
  /**
   * Starts the identity's workflow. Its clock starts at the latest of: `lastActiveAt`, signs of life recorded before, sign-ins that
   * Kratos knows, its creation. @returns whether it was started now; `false` when it ran already
   */
  enrol(identityId: string, options?: { lastActiveAt?: Date | number; policyId?: string }): Promise<boolean>;
  /** Follows another policy; without `version` always its latest. @throws InvalidRequestError, NotEnrolledError */
  applyPolicy(
    identityId: string,
    request: OperatorRequest & { policyId: string; version?: number },
  ): Promise<PublicStanding>;
  /**
   * Stops all rungs and mails until a set time, beside holds that stand already. Default kind: `other`.
   * @throws InvalidRequestError, NotEnrolledError
   */
  hold(
    identityId: string,
    request: OperatorRequest & { reason: string; until: Date | number; kind?: HoldKind },
  ): Promise<PublicStanding>;
  /**
   * Ends one hold early: the one of this id or kind, or the only one that is not legal.
   * @throws InvalidRequestError, NotEnrolledError
   */
  release(
    identityId: string,
    request: OperatorRequest & HoldChoice & { reason: string },
  ): Promise<PublicStanding>;
  /** Brings back an identity that the engine deactivated. @throws InvalidRequestError, NotEnrolledError */
  reactivate(identityId: string, request: OperatorRequest & { reason: string }): Promise<PublicStanding>;
  /** Tells the workflow to look at everything again now. @throws NotEnrolledError */
  lookAgain(identityId: string): Promise<void>;
  /** Tries a step that failed for good once more. @throws InvalidRequestError, NotEnrolledError */
  retryParked(identityId: string, request: OperatorRequest): Promise<PublicStanding>;
  /** The step that failed for good is not to be done. @throws InvalidRequestError, NotEnrolledError */
  skipParked(identityId: string, request: OperatorRequest & { reason: string }): Promise<PublicStanding>;
  /**
   * The ladder does not apply to the identity until the exemption is ended; it may be set before the identity is enrolled. It stays
   * in force after its review date and shows in the work list then.
   * @throws InvalidRequestError, DormouseUnavailableError
   */
  exempt(
    identityId: string,
    request: OperatorRequest & {
      kind: ExemptionKind;
      reason: string;
      /** Who answers for it: an opaque id, or the name of a team. */
      owner: string;
      reviewAt: Date | number;
    },
  ): Promise<Exemption>;
  /** It is still right, until the next review. @throws InvalidRequestError, DormouseUnavailableError */
  reviewExemption(
    identityId: string,
    request: OperatorRequest & { reason: string; reviewAt: Date | number; owner?: string },
  ): Promise<Exemption>;
  /** The ladder applies again. @throws InvalidRequestError, DormouseUnavailableError */
  endExemption(identityId: string, request: OperatorRequest & { reason: string }): Promise<Exemption>;
  /** What waits for a person's decision: counts of all, and one page. @throws InvalidRequestError, DormouseUnavailableError */
  worklist(request?: WorklistRequest): Promise<Worklist>;
  counters(): Counters;
  /** Ends the connections. */
  close(): Promise<void>;
}
