/**
 * Judges requests by the policy of now: whose session it is (Kratos), when the person was there last (PostgreSQL, kept in memory as
 * long as nothing else is heard), and whether a limit is reached.
 */
import { given } from '../../domain/given.js';
import { routesAbove } from '../../domain/sessions/paths.js';
import type { SessionsPolicy } from '../../domain/sessions/policy.js';
import { idleSince, judge, type LiveVerdict, leaseEndsAt, missingOf } from '../../domain/sessions/verdict.js';
import type { NewSession, Presence, StoredSession } from '../../sessions/sessions-table.js';
import type { NewsFeed } from '../news-feed.js';
import type { SeenWriter } from '../seen-writer.js';
import { fromPostgres, UnjudgedError } from '../unjudged.js';
import type { Decision, Live, Question } from './decision.js';
import { deviceOfUserAgent } from './devices.js';
import type { SessionEnds } from './ends.js';
import type { Entry, SessionMemory } from './memory.js';
import type { GuardedSession, GuardOptions } from './options.js';
import { flushSession, type Presences, type Renewal } from './presences.js';
import { type RequestLimits, requestLimits } from './request-limits.js';
import type { SessionsInForce, SessionsSource } from './sessions-section.js';
import type { SignIn, SignIns, Verified } from './sign-ins.js';

export interface JudgeOptions extends Pick<GuardOptions, 'roles' | 'log'> {
  readonly policies: SessionsSource;
  readonly signIns: SignIns;
  readonly feed: NewsFeed;
  readonly memory: SessionMemory;
  readonly writer: SeenWriter<Presence>;
  readonly presences: Presences;
  readonly ends: SessionEnds;
  /** Epoch milliseconds, whole. */
  readonly now: () => number;
  /** How old the feed may be before each request asks PostgreSQL, milliseconds. */
  readonly staleMs: number;
}

/** A session can be renewed by another instance between judgement and end; more often than this it is a fault. */
const mostRounds = 5;

export class SessionJudge {
  readonly counts = { live: 0, ended: 0, unavailable: 0 };

  constructor(private readonly options: JudgeOptions) {}

  /**
   * Judges at once where memory suffices: a live session that Kratos confirmed a short while ago, within the window of its last write.
   * @returns `undefined` where it does not
   */
  decideNow(question: Question): Live | undefined {
    const { signIns, policies, feed, memory, presences, now: clock, staleMs } = this.options;
    const signIn = signIns.known(question.headers);
    const policy = policies.current()?.policy;
    if (signIn === undefined || policy === undefined || feed.ageMs() > staleMs) return undefined;
    const entry = memory.get(signIn.sessionId);
    if (entry === undefined || entry.stored.ended !== undefined) return undefined;
    const now = clock();
    const applied = this.limitsOf(entry, signIn, question, policy);
    const verdict = judge(entry.stored, applied.limits, now);
    if (verdict.state !== 'live') return undefined;
    const renewal = renewalOf(question, entry.stored, policy, now);
    // The operation may be over its time, which is checked where it is renewed.
    if (renewal?.kind === 'lease') return undefined;
    if (renewal !== undefined && !presences.renewInMemory(entry, renewal, policy)) return undefined;
    const decision = liveDecision(entry, question, applied, verdict, now);
    // The person may have signed in since Kratos was asked.
    if (decision.kind !== 'live') return undefined;
    this.counts.live += 1;
    return decision;
  }

  /** Never throws where something is away: the answer says so. */
  async decide(question: Question): Promise<Decision> {
    const atOnce = this.decideNow(question);
    if (atOnce !== undefined) return atOnce;
    try {
      const decision = await this.judged(question);
      if (decision.kind === 'ended') this.counts.ended += 1;
      else if (decision.kind !== 'none') this.counts.live += 1;
      return decision;
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      return this.unavailable(question, error.system);
    }
  }

  /** @throws UnjudgedError where none was ever read */
  async policyInForce(): Promise<SessionsInForce> {
    const { policies, feed } = this.options;
    const known = policies.current();
    if (known !== undefined) return known;
    await feed.poll();
    const read = policies.current();
    if (read === undefined) throw new UnjudgedError('policy');
    return read;
  }

  /** As the table takes it. */
  rowOf(signIn: SignIn): NewSession {
    const { sessionId, identityId, assurance, roles, userAgent } = signIn;
    const now = this.options.now();
    return {
      sessionId,
      identityId,
      assurance,
      roles: [...new Set(roles)].sort(),
      authenticatedAt: Math.min(signIn.authenticatedAt, now),
      // guard: sessions: a second factor restarts the idle limit
      latestAt: Math.min(signIn.latestAt, now),
      devices: userAgent === undefined ? [] : [deviceOfUserAgent(userAgent)],
      ...given({ policyId: this.options.policies.publishedId }),
    };
  }

  private async judged(question: Question): Promise<Decision> {
    const { signIns } = this.options;
    const known = await signIns.of(question.headers);
    let verified = known;
    while (verified !== undefined) {
      const decision = await this.judgedAs(verified, question);
      if (decision !== undefined) return decision;
      // While Kratos is away, what is known of the sign-in counts: more is asked for, and an end comes.
      // guard: sessions: while Kratos is away no route opens that asks for a stronger sign-in
      verified = await signIns.anew(question.headers).catch(() => known && { ...known, isNew: true });
    }
    return { kind: 'none' };
  }

  /** @returns `undefined` where the request would be refused, and the person may have signed in again since Kratos was asked */
  private async judgedAs({ signIn, isNew }: Verified, question: Question): Promise<Decision | undefined> {
    const { memory, feed, staleMs, writer, ends } = this.options;
    const inForce = await this.policyInForce();
    // The time of the request, not of the write: what waits in between lengthens nothing.
    const now = this.options.now();
    const row = this.rowOf(signIn);
    let entry = await memory.admit(row, isNew);
    let isReread = feed.ageMs() > staleMs;
    if (isReread) entry = await memory.reread(row);
    for (let round = 0; round < mostRounds; round += 1) {
      const { stored } = entry;
      if (stored.ended !== undefined) return { kind: 'ended', end: await ends.endOf(entry) };
      const applied = this.limitsOf(entry, signIn, question, inForce.policy);
      const verdict = judge(stored, applied.limits, now);
      // guard: sessions: Kratos is asked again before a session ends
      if (verdict.state === 'live') {
        const live = await this.live(entry, question, applied, verdict, now);
        // guard: sessions: Kratos is asked again before a route asks for a stronger sign-in
        if (live?.kind === 'step-up' && !isNew) return undefined;
        if (live !== undefined) return live;
      } else if (!isReread) {
        await fromPostgres(() => flushSession(writer, stored.sessionId));
      } else if (!isNew) {
        return undefined;
      } else if (await ends.expire(stored, verdict, inForce)) {
        return { kind: 'ended', end: verdict };
      }
      entry = await memory.reread(row);
      isReread = true;
    }
    throw new UnjudgedError('PostgreSQL');
  }

  /** @returns `undefined` where the session ended since it was judged */
  private async live(
    entry: Entry,
    question: Question,
    applied: RequestLimits,
    verdict: LiveVerdict,
    now: number,
  ): Promise<Decision | undefined> {
    const { policy, signIn } = applied;
    const renewal = renewalOf(question, entry.stored, policy, now);
    // guard: sessions: a lease ends without the person
    if (renewal?.kind === 'lease' && now > leaseEndsAt(entry.stored, policy)) {
      return { kind: 'lease-exhausted', session: sessionOf(entry.stored, signIn, verdict) };
    }
    if (renewal !== undefined && !(await this.options.presences.renew(entry, renewal, policy))) {
      return undefined;
    }
    return liveDecision(entry, question, applied, verdict, now);
  }

  private limitsOf(
    entry: Entry,
    signIn: SignIn,
    { headers, path }: Question,
    policy: SessionsPolicy,
  ): RequestLimits {
    const { stored } = entry;
    const { identityId, sessionId } = stored;
    const roles = this.options.roles?.({ identityId, sessionId });
    const applied = requestLimits(entry.limits, { policy, stored, signIn, headers, path, roles });
    entry.limits = applied;
    return applied;
  }

  private unavailable(question: Question, system: string): Decision {
    this.counts.unavailable += 1;
    const opens =
      question.isOwnRoute !== true &&
      (question.whenUnavailable ?? this.availabilityOf(question.path)) === 'open';
    this.options.log?.(
      { category: 'SECURITY', event: 'session_unjudged', system, opens },
      opens
        ? 'a request was let through unjudged'
        : 'a request was refused, because its session could not be judged',
    );
    return { kind: 'unavailable', system, opens };
  }

  private availabilityOf(path: string): 'refuse' | 'open' {
    const whenUnavailable = this.options.policies.current()?.policy.whenUnavailable ?? 'refuse';
    if (typeof whenUnavailable === 'string') return whenUnavailable;
    return routesAbove(whenUnavailable, path)[0]?.[1] ?? 'refuse';
  }
}

/** What the request says of the person, by the policy. */
function renewalOf(
  { presence }: Question,
  { authenticatedAt }: StoredSession,
  { renewal }: SessionsPolicy,
  now: number,
): Renewal | undefined {
  if (presence === undefined) return undefined;
  const { kind, agoMs = 0 } = presence;
  if (kind === 'request' && renewal !== 'requests') return undefined;
  const at = Math.min(now, Math.max(authenticatedAt, now - Math.max(0, agoMs)));
  return { kind: kind === 'request' ? 'person' : kind, at };
}

/** @param verdict from before the renewal */
function liveDecision(
  entry: Entry,
  { isOwnRoute, stepUp }: Question,
  { policy, limits, signIn, stepUp: ofPolicy }: RequestLimits,
  verdict: LiveVerdict,
  now: number,
): Decision {
  const { stored } = entry;
  const renewed = judge(stored, limits, now);
  const session = sessionOf(stored, signIn, renewed.state === 'live' ? renewed : verdict);
  const ofPath = isOwnRoute === true ? [] : ofPolicy;
  const asked = stepUp === undefined ? ofPath : [...ofPath, stepUp];
  if (asked.length > 0) {
    const missing = missingOf(asked, signIn, now);
    if (missing !== undefined) return { kind: 'step-up', session, missing };
  }
  return { kind: 'live', session, policy, limits, devices: stored.devices, choiceMs: stored.choiceMs };
}

function sessionOf(stored: StoredSession, signIn: SignIn, verdict: LiveVerdict): GuardedSession {
  const { sessionId, identityId, authenticatedAt } = stored;
  const { assurance, roles } = signIn;
  const lastActiveAt = idleSince(stored);
  return { sessionId, identityId, assurance, roles, authenticatedAt, lastActiveAt, verdict };
}
