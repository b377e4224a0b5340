/**
 * Judges requests by the policy of now: whose session it is (Kratos), when the person was there last (PostgreSQL, kept in memory as
 * long as nothing else is heard), and whether a limit is reached. Ends what is over.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { ConfigError } from '../../config.js';
import { given } from '../../domain/given.js';
import {
  type EffectiveLimits,
  limitsFor,
  offeredChoices,
  shortestIdle,
} from '../../domain/sessions/limits.js';
import { routesAbove } from '../../domain/sessions/paths.js';
import type { DeviceClass, SessionsPolicy, StepUpRule } from '../../domain/sessions/policy.js';
import {
  type EndedVerdict,
  idleSince,
  judge,
  type LiveVerdict,
  leaseEndsAt,
  missingOf,
} from '../../domain/sessions/verdict.js';
import { createKratosClient, createOryClients } from '../../ory/clients.js';
import { PolicyReader, UnknownPolicyError } from '../../policies/policies-table.js';
import { createPool } from '../../postgres/pool.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import { writeChoice } from '../../sessions/choices-table.js';
import { closeSession, type SessionClosers } from '../../sessions/close.js';
import {
  admitSession,
  endSession,
  linkLogin,
  markClosed,
  type NewSession,
  readLiveSessions,
  readSession,
  type StoredSession,
  updateTraits,
} from '../../sessions/sessions-table.js';
import { closeEnded, endOverdue, type Swept } from '../../sessions/sweep.js';
import { credentialIn } from '../credentials.js';
import { DatabaseClock } from './database-clock.js';
import { deviceOf, deviceOfUserAgent } from './devices.js';
import { fromPostgres, UnjudgedError } from './errors.js';
import { SessionFeed } from './feed.js';
import type { GuardedSession, GuardOptions, RequestRules } from './options.js';
import { type PolicyInForce, PolicySource } from './policy-source.js';
import { PresenceWriter } from './presence-writer.js';
import { type SignIn, SignIns } from './sign-ins.js';

export interface Question {
  readonly headers: IncomingHttpHeaders;
  /** The path that is asked for, or where the person is. */
  readonly path: string;
  /** What the request says of the person. Absent: nothing, so it renews nothing. */
  readonly presence?: {
    /** `request`: presence where the policy says `renewal: requests`. */
    readonly kind: 'person' | 'lease' | 'request';
    readonly agoMs?: number;
  };
  /** What the code of the route asks of the sign-in, besides the policy. */
  readonly stepUp?: StepUpRule;
  readonly whenUnavailable?: RequestRules['whenUnavailable'];
  /** The plugin's own routes ask for no step-up, and never open. */
  readonly isOwnRoute?: true;
}

export type Decision =
  | {
      readonly kind: 'live';
      readonly session: GuardedSession;
      readonly policy: SessionsPolicy;
      readonly limits: EffectiveLimits;
      /** Of the sign-in. */
      readonly devices: readonly DeviceClass[];
      /** The person's own choice, milliseconds. */
      readonly choiceMs: number | undefined;
    }
  | { readonly kind: 'step-up'; readonly session: GuardedSession; readonly missing: StepUpRule }
  | { readonly kind: 'ended'; readonly end: Omit<EndedVerdict, 'state'> }
  | { readonly kind: 'none' }
  /** A long operation went on for too long without the person. */
  | { readonly kind: 'lease-exhausted'; readonly session: GuardedSession }
  | { readonly kind: 'unavailable'; readonly system: string; readonly opens: boolean };

/** A session of a person, for their own eyes. */
export interface OwnSession {
  readonly sessionId: string;
  /** The user agent of the sign-in. */
  readonly device?: string;
  /** Where the sign-in came from, as far as Kratos keeps it. */
  readonly place?: string;
  readonly authenticatedAt: number;
  readonly lastActiveAt: number;
}

/** A session in memory. */
interface Entry {
  stored: StoredSession;
  /** When its presence was written last, on the monotonic clock. */
  writtenAt: number;
  /** The presence that PostgreSQL has, epoch milliseconds. */
  writtenPresence: number;
  /** Of the last request. */
  limits?: KnownLimits;
}

/** Limits, and what they rest on. */
interface KnownLimits {
  readonly policy: SessionsPolicy;
  readonly signIn: SignIn;
  readonly devices: readonly DeviceClass[];
  readonly device: DeviceClass;
  readonly choiceMs: number | undefined;
  readonly path: string;
  readonly limits: EffectiveLimits;
}

export interface GuardCounters {
  readonly live: number;
  readonly ended: number;
  readonly unavailable: number;
  /** Statements that wrote presences. */
  readonly writes: number;
  /** How old what is known of ended sessions is, milliseconds. */
  readonly staleMs: number;
}

/** A session can be renewed by another instance between judgement and end; more often than this it is a fault. */
const mostRounds = 5;
const shareOfIdle = 10;
const leastShareOfIdle = 5;
const longestWriteEveryMs = 60_000;

export class SessionGuard {
  private readonly pool;
  private readonly policies: PolicySource;
  private readonly signIns: SignIns;
  private readonly feed: SessionFeed;
  private readonly writer: PresenceWriter;
  private readonly entries: LRUCache<string, Entry>;
  private readonly closers: SessionClosers | undefined;
  private readonly now: () => number;
  private readonly staleMs: number;
  private readonly cookiePrefix: string;
  private readonly counts = { live: 0, ended: 0, unavailable: 0 };
  private throttle: { readonly policy: SessionsPolicy; readonly ms: number } | undefined;
  private toldProblem: string | undefined;
  private readonly endListeners = new Set<(sessionId: string) => void>();

  /** Opens connections as they are needed. @throws ConfigError where a field of the policy or the throttle is wrong */
  constructor(private readonly options: GuardOptions) {
    const { postgresUrl, pollMs = 2_000, staleMs = 5_000, cacheEntries = 100_000 } = options;
    this.pool = createPool({ url: postgresUrl, connectTimeoutMs: 2_000, statementTimeoutMs: 2_000 });
    this.policies = new PolicySource(options.policy, new PolicyReader(this.pool));
    this.staleMs = staleMs;
    this.cookiePrefix = options.kratos.cookiePrefix ?? 'ory_kratos_session';
    const known = this.policies.current();
    if (known !== undefined) checkThrottle(options.writeEveryMs, known.policy);
    const clock = new DatabaseClock();
    const now = options.clock ?? clock.now;
    // Whole, as PostgreSQL keeps them: an end rests on times that are compared for equality.
    this.now = () => Math.floor(now());
    this.signIns = new SignIns(options, () => namesRoles(this.policies.current()?.policy));
    this.writer = new PresenceWriter(this.pool, (error) => this.report(error));
    this.entries = new LRUCache({ max: cacheEntries });
    this.closers = closersOf(options);
    this.feed = new SessionFeed({
      postgresUrl,
      pool: this.pool,
      clock,
      pollMs,
      onEnded: (sessionId) => this.hearOfEnd(sessionId),
      onChoice: (identityId) => this.hearOfChoice(identityId),
      alongside: () => this.policies.reload(),
      onError: (error) => this.report(error),
    });
    this.feed.start();
  }

  /**
   * Waits until the policy was read once, or PostgreSQL was found to be away.
   * @throws ConfigError where the throttle is too long for it, or the policy has no section `sessions`. UnknownPolicyError
   */
  async ready(): Promise<void> {
    await this.feed.poll();
    if (this.policies.current() === undefined) await this.policies.reload().catch(throwMistakes);
    const known = this.policies.current();
    if (known !== undefined) checkThrottle(this.options.writeEveryMs, known.policy);
  }

  /** Reads news, policy and choices now, rather than with the next poll. Never throws. */
  refresh(): Promise<void> {
    return this.feed.poll();
  }

  async decide(question: Question): Promise<Decision> {
    try {
      const decision = await this.judged(question);
      if (decision.kind === 'ended') this.counts.ended += 1;
      else if (decision.kind !== 'none') this.counts.live += 1;
      return decision;
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      this.counts.unavailable += 1;
      const opens =
        question.isOwnRoute !== true &&
        (question.whenUnavailable ?? this.availabilityOf(question.path)) === 'open';
      this.options.log?.(
        { category: 'SECURITY', event: 'session_unjudged', system: error.system, opens },
        opens
          ? 'a request was let through unjudged'
          : 'a request was refused, because its session could not be judged',
      );
      return { kind: 'unavailable', system: error.system, opens };
    }
  }

  /** Ends the session of the request. @returns what it was; `undefined`: there was none. @throws UnjudgedError */
  async signOut(headers: IncomingHttpHeaders): Promise<StoredSession | undefined> {
    const credential = this.credentialIn(headers);
    if (credential === undefined) return undefined;
    const verified = await this.signIns.forSignOut(credential);
    this.signIns.forget(credential);
    if (verified === undefined) return undefined;
    const { stored } = await this.entryOf(verified.signIn, true);
    await this.endOne(stored, 'signed_out');
    return stored;
  }

  /**
   * Ends sessions of the person's own, as they asked: one, or all but that of the request. Another person's session is passed over, as
   * one that does not exist. @throws UnjudgedError
   */
  async endOwn(
    { identityId, sessionId }: GuardedSession,
    headers: IncomingHttpHeaders,
    which: { readonly id: string } | { readonly others: true },
  ): Promise<void> {
    for (const { sessionId: own } of await this.sessionsOf(identityId, headers)) {
      if ('id' in which ? own === which.id : own !== sessionId) await this.endOneOf(identityId, own);
    }
  }

  private async endOneOf(identityId: string, sessionId: string): Promise<void> {
    const stored = await fromPostgres(() => readSession(this.pool, sessionId));
    // A session that no guard has seen is Kratos' alone.
    if (stored === undefined) await this.carryOut({ sessionId, loginSids: [] });
    else if (stored.identityId === identityId) await this.endOne(stored, 'signed_out');
  }

  /** The sessions of a person: those that Kratos has, with the last presence where a guard has seen them. @throws UnjudgedError */
  async sessionsOf(identityId: string, headers: IncomingHttpHeaders): Promise<OwnSession[]> {
    const credential = this.credentialIn(headers);
    const ofKratos = credential === undefined ? [] : await this.signIns.listOf(credential);
    const seen = await fromPostgres(() => readLiveSessions(this.pool, identityId));
    const bySession = new Map<string, OwnSession>();
    for (const { sessionId, authenticatedAt, userAgent, place } of ofKratos) {
      const device = userAgent?.slice(0, 200);
      bySession.set(sessionId, {
        sessionId,
        authenticatedAt,
        lastActiveAt: authenticatedAt,
        ...given({ device, place }),
      });
    }
    for (const stored of seen) {
      const { sessionId, authenticatedAt } = stored;
      const known = bySession.get(sessionId) ?? { sessionId, authenticatedAt };
      bySession.set(sessionId, { ...known, authenticatedAt, lastActiveAt: idleSince(stored) });
    }
    return [...bySession.values()].sort((a, b) => b.lastActiveAt - a.lastActiveAt);
  }

  /** The choices that make a difference for the person, and the one that is kept. */
  choicesOf({ session, policy, devices, choiceMs }: Extract<Decision, { kind: 'live' }>): {
    offered: number[];
    chosen: number | undefined;
  } {
    const { roles, assurance } = session;
    return { offered: offeredChoices(policy, { devices, roles, assurance }), chosen: choiceMs };
  }

  /** Keeps a choice that is offered. @returns whether it is. @throws UnjudgedError */
  async choose(live: Extract<Decision, { kind: 'live' }>, idleMs: number): Promise<boolean> {
    if (!this.choicesOf(live).offered.includes(idleMs)) return false;
    const { identityId } = live.session;
    await fromPostgres(() => writeChoice(this.pool, identityId, idleMs));
    this.hearOfChoice(identityId);
    return true;
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
    this.entries.delete(sessionId);
    return fromPostgres(() => linkLogin(this.pool, sessionId, loginSid));
  }

  /**
   * Ends sessions over a limit that nobody asks for, as the engine's schedule does for published policies: for apps without the
   * engine, on a timer of theirs. All sessions without a published policy are judged by this guard's own.
   * @throws UnjudgedError
   */
  async sweep(): Promise<Swept> {
    const inForce = await this.policyInForce();
    const { pool, closers } = this;
    return fromPostgres(async () => {
      const ended = await endOverdue({ pool }, inForce, this.now());
      const closed =
        closers === undefined ? { closed: 0, failed: 0 } : await closeEnded({ pool, closers }, this.now());
      return { ended, ...closed };
    });
  }

  /** Calls back when a session is heard to have ended. @returns a function that stops it */
  onEnd(listener: (sessionId: string) => void): () => void {
    this.endListeners.add(listener);
    return () => this.endListeners.delete(listener);
  }

  counters(): GuardCounters {
    return { ...this.counts, writes: this.writer.statementCount(), staleMs: Math.round(this.feed.ageMs()) };
  }

  /** Until when this instance may serve a session without a write, milliseconds. */
  writeEveryMs(policy: SessionsPolicy): number {
    if (this.throttle?.policy !== policy) this.throttle = { policy, ms: this.throttleOf(policy) };
    return this.throttle.ms;
  }

  private throttleOf(policy: SessionsPolicy): number {
    const shortest = shortestIdle(policy) ?? Number.POSITIVE_INFINITY;
    const wanted = this.options.writeEveryMs ?? Math.min(longestWriteEveryMs, shortest / shareOfIdle);
    return Math.floor(Math.min(wanted, shortest / leastShareOfIdle, longestWriteEveryMs));
  }

  clock(): number {
    return this.now();
  }

  async close(): Promise<void> {
    await this.writer.close();
    await this.feed.close();
    await this.pool.end();
  }

  private credentialIn(headers: IncomingHttpHeaders) {
    const credential = credentialIn(headers, { bearer: false, cookiePrefix: this.cookiePrefix });
    return credential?.type === 'bearer' ? undefined : credential;
  }

  private async judged(question: Question): Promise<Decision> {
    const credential = this.credentialIn(question.headers);
    if (credential === undefined) return { kind: 'none' };
    const verified = await this.signIns.of(credential);
    if (verified === undefined) return { kind: 'none' };
    const inForce = await this.policyInForce();
    // The time of the request, not of the write: what waits in between lengthens nothing.
    const now = this.now();
    let entry = await this.entryOf(verified.signIn, verified.isNew);
    let isReread = this.feed.ageMs() > this.staleMs;
    if (isReread) entry = await this.reread(verified.signIn);
    for (let round = 0; round < mostRounds; round += 1) {
      const { stored } = entry;
      if (stored.ended !== undefined) return this.endedAlready(entry);
      const limits = this.limitsOf(entry, verified.signIn, question, inForce.policy);
      const verdict = judge(stored, limits, now);
      if (verdict.state === 'live') {
        const live = await this.live(entry, verified.signIn, question, { ...inForce, limits, verdict, now });
        if (live !== undefined) return live;
      } else if (!isReread) {
        await fromPostgres(() => this.writer.flush(stored.sessionId));
      } else if (await this.expire(stored, verdict, inForce)) {
        return { kind: 'ended', end: verdict };
      }
      entry = await this.reread(verified.signIn);
      isReread = true;
    }
    throw new UnjudgedError('PostgreSQL');
  }

  /** @returns `undefined` where the session ended since it was judged */
  private async live(
    entry: Entry,
    signIn: SignIn,
    question: Question,
    judged: PolicyInForce & { limits: EffectiveLimits; verdict: LiveVerdict; now: number },
  ): Promise<Decision | undefined> {
    const { policy, limits, now } = judged;
    const presence = presenceOf(question, policy);
    if (presence?.kind === 'lease' && now > leaseEndsAt(entry.stored, policy)) {
      return { kind: 'lease-exhausted', session: sessionOf(entry, signIn, judged.verdict) };
    }
    if (presence !== undefined) {
      const at = Math.max(entry.stored.authenticatedAt, now - Math.max(0, presence.agoMs ?? 0));
      if (!(await this.renew(entry, Math.min(at, now), presence.kind, policy))) return undefined;
    }
    const renewed = judge(entry.stored, limits, now);
    const session = sessionOf(entry, signIn, renewed.state === 'live' ? renewed : judged.verdict);
    const asked =
      question.isOwnRoute === true
        ? []
        : [
            ...routesAbove(policy.stepUp, question.path).map(([, rule]) => rule),
            ...(question.stepUp === undefined ? [] : [question.stepUp]),
          ];
    const missing = missingOf(asked, { assurance: signIn.assurance, latestAt: signIn.latestAt }, now);
    const { devices, choiceMs } = entry.stored;
    return missing === undefined
      ? { kind: 'live', session, policy, limits, devices, choiceMs }
      : { kind: 'step-up', session, missing };
  }

  /** @returns whether the session is live */
  private async renew(
    entry: Entry,
    at: number,
    kind: 'person' | 'lease',
    policy: SessionsPolicy,
  ): Promise<boolean> {
    const { stored } = entry;
    const presence = { sessionId: stored.sessionId, at, kind };
    const sinceWrite = performance.now() - entry.writtenAt;
    const everyMs = this.writeEveryMs(policy);
    // By the clock of the sessions as well: the monotonic one does not count a sleep.
    if (sinceWrite < everyMs && at - entry.writtenPresence < everyMs) {
      entry.stored = withPresence(stored, presence);
      this.writer.writeLater(presence, everyMs - sinceWrite);
      return true;
    }
    await this.options.beforeWrite?.();
    const isLive = await fromPostgres(() => this.writer.write(presence));
    if (!isLive) return false;
    entry.stored = withPresence(entry.stored, presence);
    entry.writtenAt = performance.now();
    entry.writtenPresence = Math.max(entry.writtenPresence, at);
    if (kind === 'person') {
      this.options.dormouse?.noteActivity(stored.identityId, { at, kind: 'human', source: 'session' });
    }
    return true;
  }

  /** Most requests of a session are under the limits of the one before. */
  private limitsOf(
    entry: Entry,
    signIn: SignIn,
    { headers, path }: Question,
    policy: SessionsPolicy,
  ): EffectiveLimits {
    const { devices, choiceMs } = entry.stored;
    const device = deviceOf(headers);
    const known = entry.limits;
    const holds =
      // What the app says of roles may change at any time.
      this.options.roles === undefined &&
      known?.policy === policy &&
      known.signIn === signIn &&
      known.devices === devices &&
      known.device === device &&
      known.choiceMs === choiceMs &&
      known.path === path;
    if (holds) return known.limits;
    const { identityId, sessionId } = entry.stored;
    const further = this.options.roles?.({ identityId, sessionId }) ?? [];
    const limits = limitsFor(policy, {
      devices: [...new Set([...devices, device])],
      roles: [...signIn.roles, ...further],
      assurance: signIn.assurance,
      path,
      ...given({ choiceMs }),
    });
    entry.limits = { policy, signIn, devices, device, choiceMs, path, limits };
    return limits;
  }

  private async entryOf(signIn: SignIn, isNew: boolean): Promise<Entry> {
    const known = this.entries.get(signIn.sessionId);
    if (known !== undefined && !(isNew && differs(known.stored, this.rowOf(signIn)))) return known;
    const row = this.rowOf(signIn);
    const stored = await fromPostgres(async () => {
      const found = await admitSession(this.pool, row);
      if (found.ended !== undefined || !differs(found, row)) return found;
      await updateTraits(this.pool, row);
      return (await readSession(this.pool, row.sessionId)) ?? found;
    });
    return this.keep(stored);
  }

  /** What PostgreSQL has now. */
  private async reread(signIn: SignIn): Promise<Entry> {
    const stored = await fromPostgres(() => readSession(this.pool, signIn.sessionId));
    if (stored !== undefined) return this.keep(stored);
    this.entries.delete(signIn.sessionId);
    return this.entryOf(signIn, true);
  }

  private keep(stored: StoredSession): Entry {
    const known = this.entries.get(stored.sessionId);
    if (known === undefined) {
      const entry = { stored, writtenAt: Number.NEGATIVE_INFINITY, writtenPresence: idleSince(stored) };
      this.entries.set(stored.sessionId, entry);
      return entry;
    }
    known.writtenPresence = idleSince(stored);
    known.stored = stored.ended === undefined ? merged(stored, known.stored) : stored;
    return known;
  }

  private rowOf(signIn: SignIn): NewSession {
    const { sessionId, identityId, assurance, roles, userAgent } = signIn;
    return {
      sessionId,
      identityId,
      assurance,
      roles: [...new Set(roles)].sort(),
      authenticatedAt: Math.min(signIn.authenticatedAt, this.now()),
      devices: userAgent === undefined ? [] : [deviceOfUserAgent(userAgent)],
      ...given({ policyId: this.policies.publishedId }),
    };
  }

  /** @returns whether this call ended it: another instance may have, or the person came back */
  private async expire(
    stored: StoredSession,
    verdict: EndedVerdict,
    { reference }: PolicyInForce,
  ): Promise<boolean> {
    const { sessionId } = stored;
    const { reason, rule, endedAt } = verdict;
    await this.options.beforeWrite?.();
    const ended = await fromPostgres(() =>
      endSession(
        this.pool,
        { sessionId, reason, endedAt, judged: stored, ...given({ rule, policy: reference }) },
        this.now(),
      ),
    );
    if (!ended) return false;
    this.hearOfEnd(sessionId);
    await this.carryOut(stored);
    return true;
  }

  private async endOne(stored: StoredSession, reason: 'signed_out'): Promise<void> {
    const now = this.now();
    const { sessionId } = stored;
    await fromPostgres(() => endSession(this.pool, { sessionId, reason, endedAt: now }, now));
    this.hearOfEnd(sessionId);
    await this.carryOut(stored);
  }

  private async endedAlready(entry: Entry): Promise<Decision> {
    const { stored } = entry;
    // Kratos still answers for it: otherwise the credential would be nobody's.
    if (stored.isClosed !== true && (await this.carryOut(stored)))
      entry.stored = { ...stored, isClosed: true };
    const { at, reason, rule } = stored.ended ?? { at: 0, reason: 'revoked' as const };
    return { kind: 'ended', end: { reason, endedAt: at, ...given({ rule }) } };
  }

  /**
   * Ends it in Kratos and Hydra. What fails, the engine's sweep does: the row says that it is owed.
   * @returns whether it is done
   */
  private async carryOut(stored: Pick<StoredSession, 'sessionId' | 'loginSids'>): Promise<boolean> {
    if (this.closers === undefined) return false;
    try {
      if (!(await closeSession(this.closers, stored))) return false;
      await markClosed(this.pool, stored.sessionId, this.now());
      return true;
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  private hearOfEnd(sessionId: string): void {
    const known = this.entries.get(sessionId);
    // An entry that knows its end needs no other reading.
    if (known?.stored.ended !== undefined) return;
    this.entries.delete(sessionId);
    for (const listener of this.endListeners) listener(sessionId);
  }

  private hearOfChoice(identityId: string): void {
    for (const [sessionId, { stored }] of this.entries.entries()) {
      if (stored.identityId === identityId) this.entries.delete(sessionId);
    }
  }

  private async policyInForce(): Promise<PolicyInForce> {
    const known = this.policies.current();
    if (known !== undefined) return known;
    await this.feed.poll();
    const read = this.policies.current();
    if (read === undefined) throw new UnjudgedError('policy');
    return read;
  }

  private availabilityOf(path: string): 'refuse' | 'open' {
    const whenUnavailable = this.policies.current()?.policy.whenUnavailable ?? 'refuse';
    if (typeof whenUnavailable === 'string') return whenUnavailable;
    return routesAbove(whenUnavailable, path)[0]?.[1] ?? 'refuse';
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

function presenceOf(
  { presence }: Question,
  { renewal }: SessionsPolicy,
): { kind: 'person' | 'lease'; agoMs?: number } | undefined {
  if (presence === undefined) return undefined;
  const { kind, ...ago } = presence;
  if (kind !== 'request') return { kind, ...ago };
  return renewal === 'requests' ? { kind: 'person', ...ago } : undefined;
}

function sessionOf(entry: Entry, signIn: SignIn, verdict: LiveVerdict): GuardedSession {
  const { sessionId, identityId, authenticatedAt } = entry.stored;
  return {
    sessionId,
    identityId,
    assurance: signIn.assurance,
    roles: signIn.roles,
    authenticatedAt,
    lastActiveAt: idleSince(entry.stored),
    verdict,
  };
}

function withPresence(
  stored: StoredSession,
  { at, kind }: { at: number; kind: 'person' | 'lease' },
): StoredSession {
  return kind === 'person'
    ? { ...stored, lastActiveAt: Math.max(stored.lastActiveAt, at) }
    : { ...stored, leaseBeatAt: Math.max(stored.leaseBeatAt ?? at, at) };
}

/** What is read, with presences that wait to be written. */
function merged(read: StoredSession, known: StoredSession): StoredSession {
  const beat = Math.max(read.leaseBeatAt ?? 0, known.leaseBeatAt ?? 0);
  return {
    ...read,
    lastActiveAt: Math.max(read.lastActiveAt, known.lastActiveAt),
    ...(beat > 0 && { leaseBeatAt: beat }),
  };
}

function differs(stored: StoredSession, row: NewSession): boolean {
  return (
    row.authenticatedAt > stored.authenticatedAt ||
    row.assurance !== stored.assurance ||
    row.devices.join() !== stored.devices.join() ||
    row.roles.join() !== stored.roles.join()
  );
}

function namesRoles(policy: SessionsPolicy | undefined): boolean {
  if (policy === undefined) return true;
  return Object.keys(policy.roles).length + Object.keys(policy.choices?.ceilings ?? {}).length > 0;
}

/** What the app's developer has to mend is thrown; what passes by itself is not. */
function throwMistakes(error: unknown): void {
  if (error instanceof ConfigError || error instanceof UnknownPolicyError) throw error;
}

/** @throws ConfigError */
function checkThrottle(writeEveryMs: number | undefined, policy: SessionsPolicy): void {
  const shortest = shortestIdle(policy);
  if (writeEveryMs === undefined || shortest === undefined) return;
  if (writeEveryMs > 0 && writeEveryMs <= shortest / leastShareOfIdle) return;
  throw new ConfigError(
    `writeEveryMs is ${writeEveryMs}, and the shortest idle limit ${shortest} ms: a presence could arrive after the session ended. Write ${Math.floor(shortest / leastShareOfIdle)} at most, or leave it out`,
  );
}

function closersOf({ kratos, hydra }: GuardOptions): SessionClosers | undefined {
  if (kratos.adminUrl === undefined) return undefined;
  const common = { ...given({ token: kratos.token }), timeoutMs: 2_000 };
  if (hydra === undefined) return { identities: createKratosClient(kratos.adminUrl, common) };
  return createOryClients({ kratosAdminUrl: kratos.adminUrl, hydraAdminUrl: hydra.adminUrl, ...common });
}
