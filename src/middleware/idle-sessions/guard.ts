/** The session guard: what an app and its routes ask, put together from its parts. */
import type { IncomingHttpHeaders } from 'node:http';
import { ConfigError } from '../../config.js';
import { given } from '../../domain/given.js';
import type { SessionsPolicy } from '../../domain/sessions/policy.js';
import { UnknownPolicyError } from '../../policies/policies-table.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import { linkLogin, type StoredSession } from '../../sessions/sessions-table.js';
import { closeEnded, endOverdue, type Swept } from '../../sessions/sweep.js';
import { fromPostgres } from '../unjudged.js';
import type { Decision, Live, Question } from './decision.js';
import { type GuardParts, partsOf } from './guard-parts.js';
import type { GuardOptions } from './options.js';
import type { OwnSessions } from './own-sessions.js';
import { checkThrottle } from './presences.js';

export interface GuardCounters {
  readonly live: number;
  readonly ended: number;
  readonly unavailable: number;
  /** Statements that wrote presences. */
  readonly writes: number;
  /** How old what is known of ended sessions is, milliseconds. */
  readonly staleMs: number;
}

export class SessionGuard {
  private readonly parts: GuardParts;
  private toldProblem: string | undefined;

  /** Opens connections as they are needed. @throws ConfigError where a field of the policy or the throttle is wrong */
  constructor(private readonly options: GuardOptions) {
    this.parts = partsOf(options, (error) => this.report(error));
    this.parts.feed.start();
  }

  /** What people see and do about their own sessions. */
  get own(): OwnSessions {
    return this.parts.own;
  }

  /**
   * Waits until the policy was read once, or PostgreSQL was found to be away.
   * @throws ConfigError where the throttle is too long for it, or the policy has no section `sessions`. UnknownPolicyError
   */
  async ready(): Promise<void> {
    const { feed, policies } = this.parts;
    await feed.poll();
    if (policies.current() === undefined) await policies.reload().catch(throwMistakes);
    const known = policies.current();
    if (known !== undefined) checkThrottle(this.options.writeEveryMs, known.policy);
  }

  /** Reads news, policy and choices now, rather than with the next poll. Never throws. */
  refresh(): Promise<void> {
    return this.parts.feed.poll();
  }

  /** Judges a request. Never throws where something is away: the answer says so. */
  decide(question: Question): Promise<Decision> {
    return this.parts.judge.decide(question);
  }

  /** The same without waiting. @returns `undefined` where memory does not suffice: ask `decide` */
  decideNow(question: Question): Live | undefined {
    return this.parts.judge.decideNow(question);
  }

  /** Ends the session of the request. @returns what it was; `undefined`: there was none. @throws UnjudgedError */
  async signOut(headers: IncomingHttpHeaders): Promise<StoredSession | undefined> {
    const verified = await this.parts.signIns.forSignOut(headers);
    this.parts.signIns.forget(headers);
    if (verified === undefined) return undefined;
    const { stored } = await this.parts.memory.admit(this.parts.judge.rowOf(verified.signIn), true);
    await this.parts.ends.signOut(stored);
    return stored;
  }

  /**
   * Remembers a Hydra login that ends with the session of the request: the `sid` of its ID token, or `session_id` of the login request.
   * @returns whether the session is live. @throws InvalidRequestError, UnjudgedError
   */
  async linkLogin(sessionId: string, loginSid: string): Promise<boolean> {
    if (!/^[\x21-\x7E]{1,255}$/.test(loginSid)) {
      throw new InvalidRequestError(
        'loginSid: is not the id of a login. Take session_id of the login request',
      );
    }
    this.parts.memory.forget(sessionId);
    return fromPostgres(() => linkLogin(this.parts.pool, sessionId, loginSid));
  }

  /**
   * Ends sessions over a limit that nobody asks for, as the engine's schedule does for published policies: for apps without the
   * engine, on a timer of theirs. All sessions without a published policy are judged by this guard's own.
   * @throws UnjudgedError
   */
  async sweep(): Promise<Swept> {
    const inForce = await this.parts.judge.policyInForce();
    const { pool, closers, now } = this.parts;
    return fromPostgres(async () => {
      const ended = await endOverdue({ pool }, inForce, now());
      const closed =
        closers === undefined ? { closed: 0, failed: 0 } : await closeEnded({ pool, closers }, now());
      return { ended, ...closed };
    });
  }

  /** Calls back when a session is heard to have ended. @returns a function that stops it */
  onEnd(listener: (sessionId: string) => void): () => void {
    return this.parts.ends.listen(listener);
  }

  counters(): GuardCounters {
    return {
      ...this.parts.judge.counts,
      writes: this.parts.writer.statementCount(),
      staleMs: Math.round(this.parts.feed.ageMs()),
    };
  }

  /** Until when this instance may serve a session without a write, milliseconds. */
  writeEveryMs(policy: SessionsPolicy): number {
    return this.parts.presences.writeEveryMs(policy);
  }

  clock(): number {
    return this.parts.now();
  }

  async close(): Promise<void> {
    await this.parts.writer.close();
    await this.parts.feed.close();
    await this.parts.pool.end();
  }

  private report(error: unknown): void {
    // Somebody has to mend it, and the policy is read again every while: it is told once.
    const problem = error instanceof ConfigError ? error.message : undefined;
    if (problem !== undefined && problem === this.toldProblem) return;
    this.toldProblem = problem ?? this.toldProblem;
    const name = error instanceof Error ? error.name : 'unknown';
    this.options.log?.(
      { category: 'ERROR', event: 'session_guard_failed', name, ...given({ problem }) },
      'the session guard failed at a step that is repeated',
    );
  }
}

/** What the app's developer has to mend is thrown; what passes by itself is not. */
function throwMistakes(error: unknown): void {
  if (error instanceof ConfigError || error instanceof UnknownPolicyError) throw error;
}
