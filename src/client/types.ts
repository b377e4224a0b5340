/** The client's interface. Types only. */
import type { Exemption, ExemptionKind } from '../domain/exemption.js';
import type { Hold, HoldChoice, HoldKind } from '../domain/lifecycle/holds.js';
import type { SignKind } from '../domain/sign-of-life.js';
import type { LiveStanding, Standing } from '../domain/standing.js';
import type { CredentialStanding } from '../domain/tokens/credential-standing.js';
import type { WorkItem, WorkKind, WorklistLimits } from '../worklist/rules.js';
import type { OpenTelemetryApi } from './app-trace.js';

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
  /**
   * `{ context, propagation }` of `@opentelemetry/api`: calls continue the app's trace (docs/observability.md). The gateway must be of
   * this release or a later one. Default: they have none.
   */
  readonly openTelemetry?: OpenTelemetryApi;
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
  /**
   * The policy of identities that this client enrols. Default: the environment's
   * `DORMOUSE_POLICY_ID`, else `default`.
   */
  readonly policyId?: string;
}

export interface ActivityReport {
  /**
   * The time of the sign of life: a Date or epoch milliseconds. Default: now. A time
   * in the future is clamped to now.
   */
  readonly at?: Date | number;
  /** Default `human`. */
  readonly kind?: SignKind;
  /** The source of the sign: a short name without personal data. Default `app`. */
  readonly source?: string;
}

/** `recorded`: stored in PostgreSQL or in the workflow. `dropped`: only counted, because neither answered. */
export type RecordOutcome = 'recorded' | 'dropped';

export interface Counters {
  /** Awaited reports that are stored in PostgreSQL or in the workflow. */
  readonly recorded: number;
  /** Awaited reports without any answer, and noted ones for which memory had no room. */
  readonly dropped: number;
  /** Recorded in PostgreSQL while Temporal was away: a worker tells the workflow, some seconds after it is back. 0 over HTTP. */
  readonly recordedWithoutSignal: number;
  /** Noted (see {@link Dormouse.noteActivity}). */
  readonly noted: number;
  /** Replaced before the flush by a newer sign of the same identity and kind. Nothing is lost. */
  readonly superseded: number;
  /** In memory, not yet flushed. */
  readonly pending: number;
  /** Workflows told of signs of life. 0 over HTTP: the gateway tells them. */
  readonly signalled: number;
}

export interface OperatorRequest {
  /**
   * Opaque id of the operator or program, never an e-mail address. Over HTTP the gateway ignores it: the actor is the credential of the
   * call (docs/principals.md).
   */
  readonly actor: string;
  /** Makes repeated calls harmless. Default: a random one. */
  readonly requestId?: string;
}

export interface WorklistRequest extends Partial<WorklistLimits> {
  /** Only items of this kind. */
  readonly kind?: WorkKind;
  /** The `next` of the page before. */
  readonly after?: string;
  /** Items per page, 1 to 1,000. Default 100. */
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

/** What operators ask for besides. */
export interface StandingDetails extends Pick<LiveStanding, 'obstacles'> {
  /** When the credentials of each type end for inactivity. Absent: PostgreSQL did not answer. */
  readonly credentials?: readonly CredentialStanding[];
}

/**
 * The answer where no lifecycle runs for the identity: it was never enrolled, its lifecycle was lost, or it is
 * buried. The same for an id that nobody has.
 */
export interface WithoutLifecycle {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly stage: 'none';
  /** One sentence for an operator. */
  readonly why: string;
  /** The holds in force, where there are any. */
  readonly holds?: readonly Hold[];
  readonly warnings: readonly string[];
}

/** The standing after a hold or a release, or the holds alone where no lifecycle runs (`stage` is `none`). */
export type HoldAnswer = PublicStanding | WithoutLifecycle;

export interface Dormouse {
  /**
   * Reports a sign of life of a person, or of a program acting for them. Stores it in PostgreSQL
   * and wakes the workflow. Late, duplicate and out-of-order reports are harmless. Enrols
   * identities that were never enrolled.
   * @throws InvalidIdentityIdError, InvalidRequestError: the caller's mistake
   * @throws DormouseUnavailableError when nothing answered and `whenUnavailable` is `throw`
   */
  recordActivity(identityId: string, report?: ActivityReport): Promise<RecordOutcome>;
  /**
   * The same for the path of a request: returns at once, never waits, and fails only for the caller's
   * mistake. Signs are flushed in batches within `batchMs`; a crash of the process loses at most that.
   * @throws InvalidIdentityIdError, InvalidRequestError
   */
  noteActivity(identityId: string, report?: ActivityReport): void;
  /**
   * Where the identity stands, what comes next, when and why, from the projection in PostgreSQL: cheap enough for a
   * request's path. @returns `undefined` for an identity that was never enrolled; over HTTP also for one that was deleted. @throws DormouseUnavailableError
   */
  standing(identityId: string): Promise<PublicStanding | undefined>;
  /**
   * Since when credentials are void: a token or session issued before must be refused, even with a valid
   * signature (docs/revocation.md). For checkers that verify offline.
   * @returns epoch milliseconds; `undefined`: nothing was revoked
   * @throws DormouseUnavailableError
   */
  revokedBefore(identityId: string): Promise<number | undefined>;
  /**
   * The standing from the workflow itself: exact to the millisecond, slower, for operators. With everything that is in the way, and when
   * the credentials of each type end. @throws NotEnrolledError
   */
  liveStanding(identityId: string): Promise<PublicStanding & StandingDetails>;
  /**
   * Starts the identity's workflow. Its clock starts at the latest of: `lastActiveAt`, signs of life recorded
   * before, sign-ins that Kratos knows, and the identity's creation.
   * @returns whether this call started it; `false` when it was running already
   */
  enrol(identityId: string, options?: { lastActiveAt?: Date | number; policyId?: string }): Promise<boolean>;
  /**
   * Follows another policy; without `version` always its latest.
   * @throws InvalidRequestError, NotEnrolledError
   */
  applyPolicy(
    identityId: string,
    request: OperatorRequest & { policyId: string; version?: number },
  ): Promise<PublicStanding>;
  /**
   * Stops all rungs and mails until a set time, in addition to holds in force. Default kind: `other`. Any
   * identity may be held, also one that is not enrolled yet: its lifecycle finds the hold at its first look.
   * @throws InvalidRequestError, DormouseUnavailableError
   */
  hold(
    identityId: string,
    request: OperatorRequest & { reason: string; until: Date | number; kind?: HoldKind },
  ): Promise<HoldAnswer>;
  /**
   * Ends one hold early: the hold of this id or kind, or the only one that is not legal.
   * @throws InvalidRequestError, DormouseUnavailableError
   */
  release(
    identityId: string,
    request: OperatorRequest & HoldChoice & { reason: string },
  ): Promise<HoldAnswer>;
  /** Brings back an identity that the engine deactivated. @throws InvalidRequestError, NotEnrolledError */
  reactivate(identityId: string, request: OperatorRequest & { reason: string }): Promise<PublicStanding>;
  /** Tells the workflow to look at everything again now. @throws NotEnrolledError */
  lookAgain(identityId: string): Promise<void>;
  /** Tries a step that failed for good once more. @throws InvalidRequestError, NotEnrolledError */
  retryParked(identityId: string, request: OperatorRequest): Promise<PublicStanding>;
  /** The step that failed for good is not to be done. @throws InvalidRequestError, NotEnrolledError */
  skipParked(identityId: string, request: OperatorRequest & { reason: string }): Promise<PublicStanding>;
  /**
   * Exempts the identity from the ladder until the exemption is ended. May be set before the identity is
   * enrolled. It stays in force after its review date, and shows in the work list from then on.
   * @throws InvalidRequestError, DormouseUnavailableError
   */
  exempt(
    identityId: string,
    request: OperatorRequest & {
      kind: ExemptionKind;
      reason: string;
      /** The owner who answers for it: an opaque id, or the name of a team. */
      owner: string;
      reviewAt: Date | number;
    },
  ): Promise<Exemption>;
  /** Confirms the exemption until the next review. @throws InvalidRequestError, DormouseUnavailableError */
  reviewExemption(
    identityId: string,
    request: OperatorRequest & { reason: string; reviewAt: Date | number; owner?: string },
  ): Promise<Exemption>;
  /** Ends the exemption: the ladder applies again. @throws InvalidRequestError, DormouseUnavailableError */
  endExemption(identityId: string, request: OperatorRequest & { reason: string }): Promise<Exemption>;
  /**
   * Items that wait for a person's decision: counts of all, and one page.
   * @throws InvalidRequestError, DormouseUnavailableError
   */
  worklist(request?: WorklistRequest): Promise<Worklist>;
  counters(): Counters;
  /** Ends the connections. */
  close(): Promise<void>;
}
