/**
 * The strategy of inactive tokens: a token is good while its signature holds, its own times are right, nobody revoked it, and somebody
 * uses it. Ends what is over (docs/inactive-tokens.md).
 */
import type { IncomingHttpHeaders } from 'node:http';
import type pg from 'pg';
import { ConfigError } from '../../config.js';
import { given } from '../../domain/given.js';
import { checkAccessTokens } from '../../domain/tokens/access-checks.js';
import { type AccessTokensPolicy, accessTokensSection } from '../../domain/tokens/access-policy.js';
import {
  endByTime,
  idleLimitOf,
  judgeToken,
  type RefusedToken,
  startOf,
} from '../../domain/tokens/access-verdict.js';
import { PolicyReader, UnknownPolicyError } from '../../policies/policies-table.js';
import { createPool } from '../../postgres/pool.js';
import { type LogQuestion, readLines, type StoredLine } from '../../tokens/access/request-log-table.js';
import { DatabaseClock } from '../database-clock.js';
import type { NewsFeed } from '../news-feed.js';
import { type PolicySection, PolicySource, type SectionInForce } from '../policy-source.js';
import { fromPostgres, UnjudgedError } from '../unjudged.js';
import { bearerOf, isUseOf, type TokenDecision, type TokenQuestion } from './decision.js';
import { createTokenNews } from './news.js';
import type { AccessTokensFields, GuardedToken, InactiveTokensOptions } from './options.js';
import { Refusals } from './refusals.js';
import { RequestLog } from './request-log.js';
import { Subjects } from './subjects.js';
import { type UseEntry, Uses } from './uses.js';
import { TokenVerifier, type VerifiedToken } from './verify.js';

export interface TokenCounters {
  readonly good: number;
  readonly refused: number;
  readonly unavailable: number;
  /** Statements that wrote uses. */
  readonly writes: number;
  /** How old what is known of ends elsewhere is, milliseconds. */
  readonly staleMs: number;
}

const accessOfPolicy: PolicySection<AccessTokensPolicy> = {
  name: 'tokens.access',
  document: 'docs/inactive-tokens.md',
  of: (policy) => policy.tokens?.access,
  parse: (fields) => accessTokensSection.safeParse(fields),
  check: checkAccessTokens,
};

/** A use can be renewed by another instance between judgement and end; more often than this it is a fault. */
const mostRounds = 5;

export class InactivityJwtStrategy {
  private readonly pool: pg.Pool;
  private readonly policies: PolicySource<AccessTokensPolicy, AccessTokensFields>;
  private readonly verifier: TokenVerifier;
  private readonly subjects: Subjects;
  private readonly uses: Uses;
  private readonly feed: NewsFeed;
  private readonly now: () => number;
  private readonly staleMs: number;
  private readonly refusals: Refusals;
  private good = 0;
  /** Absent: the app keeps none. */
  readonly requestLog: RequestLog | undefined;

  /** Opens connections as they are needed. @throws ConfigError where an option or a field of the policy is wrong */
  constructor(private readonly options: InactiveTokensOptions) {
    const { postgresUrl, pollMs = 2_000, staleMs = 5_000, cacheEntries = 100_000, beforeWrite } = options;
    this.verifier = new TokenVerifier(options);
    this.pool = createPool({ url: postgresUrl, connectTimeoutMs: 2_000, statementTimeoutMs: 2_000 });
    this.policies = new PolicySource(accessOfPolicy, options.policy, new PolicyReader(this.pool));
    this.staleMs = staleMs;
    const clock = new DatabaseClock();
    const read = options.clock ?? clock.now;
    // Whole, as PostgreSQL keeps them: an end rests on times that are compared for equality.
    this.now = () => Math.floor(read());
    const onError = (error: unknown) => this.report(error);
    this.subjects = new Subjects(this.pool, cacheEntries);
    this.uses = new Uses({ pool: this.pool, most: cacheEntries, beforeWrite, onError });
    this.requestLog = options.requestLog && new RequestLog(this.pool, options.requestLog.app, onError);
    this.refusals = new Refusals({
      uses: this.uses,
      log: options.log,
      requestLog: this.requestLog,
      onError,
    });
    this.feed = createTokenNews({
      ...{ pool: this.pool, postgresUrl, clock, pollMs, uses: this.uses, subjects: this.subjects },
      alongside: () => this.policies.reload(),
      onError,
    });
    this.feed.start();
  }

  /**
   * Waits until the policy was read once, or PostgreSQL was found to be away.
   * @throws ConfigError where the policy has no section `tokens.access`. UnknownPolicyError
   */
  async ready(): Promise<void> {
    await this.feed.poll();
    if (this.policies.current() !== undefined) return;
    await this.policies.reload().catch((error: unknown) => {
      if (error instanceof ConfigError || error instanceof UnknownPolicyError) throw error;
    });
  }

  /** Reads what changed elsewhere now, rather than with the next poll. Never throws. */
  refresh(): Promise<void> {
    return this.feed.poll();
  }

  /** The policy that is in force; `undefined`: none was ever read. */
  policy(): AccessTokensPolicy | undefined {
    return this.policies.current()?.policy;
  }

  /**
   * Judges at once where memory suffices: a good token whose signature was verified a short while ago, within the window of its last
   * write. @returns `undefined` where it does not
   */
  decideNow(question: TokenQuestion): TokenDecision | undefined {
    const token = bearerOf(question.headers);
    const verified = token === undefined ? undefined : this.verifier.known(token);
    const policy = this.policies.current()?.policy;
    if (verified === undefined || policy === undefined || this.feed.ageMs() > this.staleMs) return undefined;
    const entry = this.uses.get(verified.useKey);
    const standing = this.subjects.get(verified.identityId);
    if (entry === undefined || standing === undefined) return undefined;
    const now = this.now();
    const limit = this.limitOf(verified, question.path, policy);
    const verdict = judgeToken(verified.claims, { use: entry.stored, standing, limit }, policy, now);
    if (verdict.state !== 'good') return undefined;
    const isUse = isUseOf(question, policy);
    if (isUse && !this.uses.touchInMemory(entry, now, policy.writeEvery)) return undefined;
    return this.goodFor(verified, { ...verdict, ...(isUse && { idleEndsAt: now + limit.ms }) }, policy, now);
  }

  /** Never throws where something is away: the answer says so. */
  async decide(question: TokenQuestion): Promise<TokenDecision> {
    const atOnce = this.decideNow(question);
    if (atOnce !== undefined) return atOnce;
    const token = bearerOf(question.headers);
    if (token === undefined) return { kind: 'none' };
    let verified: VerifiedToken | undefined;
    try {
      const verification = await this.verifier.verify(token);
      if ('forgery' in verification) return this.refusals.forged(verification.forgery, this.now());
      verified = verification;
      return await this.judged(verified, question);
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      return this.unavailable(error.system, verified);
    }
  }

  /** Ends the use of the request's token, for all that share its session. @returns whether it was live. @throws UnjudgedError */
  async revoke(headers: IncomingHttpHeaders): Promise<boolean> {
    const token = bearerOf(headers);
    const verified = token === undefined ? undefined : await this.verifier.verify(token);
    if (verified === undefined || 'forgery' in verified) return false;
    const { policy } = await this.inForce();
    const { identityId, claims, useKey } = verified;
    const now = this.now();
    await this.uses.admit(useKey, identityId, startOf(claims, policy, now), now);
    return this.uses.refuse({ key: useKey, identityId, reason: 'revoked', endedAt: now, ends: {} }, now);
  }

  counters(): TokenCounters {
    const writes = this.uses.writer.statementCount();
    return { good: this.good, ...this.refusals.counts(), writes, staleMs: Math.round(this.feed.ageMs()) };
  }

  /** Lines of this app's log, the latest first. @throws UnjudgedError */
  async readLog(question: Omit<LogQuestion, 'app'>): Promise<StoredLine[]> {
    const log = this.requestLog;
    if (log === undefined) return [];
    return fromPostgres(() => readLines(this.pool, { ...question, app: log.app }));
  }

  /** Whether the token's holder may read everybody's lines. */
  isOperator(token: GuardedToken): boolean {
    return this.options.requestLog?.isOperator?.(token) === true;
  }

  readonly clock = (): number => this.now();

  async close(): Promise<void> {
    await this.requestLog?.flush();
    await this.uses.writer.close();
    await this.feed.close();
    await this.pool.end();
  }

  private async judged(verified: VerifiedToken, question: TokenQuestion): Promise<TokenDecision> {
    const inForce = await this.inForce();
    const { policy } = inForce;
    const { identityId, claims, useKey } = verified;
    // The time of the request, not of the write: what waits in between lengthens nothing.
    const now = this.now();
    const byTime = endByTime(claims, policy, now);
    // No row for a token that never was good.
    if (byTime !== undefined) return this.refusals.refused(verified, byTime, inForce.reference, now);
    const limit = this.limitOf(verified, question.path, policy);
    let isReread = this.feed.ageMs() > this.staleMs;
    let entry = await this.uses.admit(useKey, identityId, startOf(claims, policy, now), now);
    if (isReread) entry = await this.uses.reread(entry);
    for (let round = 0; round < mostRounds; round += 1) {
      const known = isReread ? undefined : this.subjects.get(identityId);
      const standing = known ?? (await this.subjects.read(identityId));
      const verdict = judgeToken(claims, { use: entry.stored, standing, limit }, policy, now);
      if (verdict.state === 'good') {
        if (!isUseOf(question, policy)) return this.goodFor(verified, verdict, policy, now);
        if (await this.used(entry, now, policy)) {
          return this.goodFor(verified, { ...verdict, idleEndsAt: now + limit.ms }, policy, now);
        }
      } else if (isReread) {
        const isOver = verdict.reason !== 'idle' || entry.stored.ended !== undefined;
        const isDone = isOver || (await this.expire(entry, verdict, inForce, now));
        if (isDone) {
          return this.refusals.refused(verified, verdict, inForce.reference, now, entry.stored.lastUsedAt);
        }
      }
      entry = await this.uses.reread(entry);
      isReread = true;
    }
    throw new UnjudgedError('PostgreSQL');
  }

  /** @returns whether the use is live */
  private async used(entry: UseEntry, now: number, policy: AccessTokensPolicy): Promise<boolean> {
    const { identityId } = entry.stored;
    const writesBefore = entry.writtenAt;
    if (!(await this.uses.touch(entry, now, policy.writeEvery))) return false;
    if (entry.writtenAt !== writesBefore) {
      this.options.dormouse?.noteActivity(identityId, { at: now, kind: 'token', source: 'token' });
    }
    return true;
  }

  /** @returns whether this call ended it: another instance may have, or the person came back */
  private async expire(
    { stored }: UseEntry,
    { endedAt, rule }: RefusedToken,
    { reference }: SectionInForce<AccessTokensPolicy>,
    now: number,
  ): Promise<boolean> {
    const { key, identityId, lastUsedAt } = stored;
    const isDone = await this.uses.refuse(
      // guard: access tokens: a use ends while its judged last use is the latest
      {
        ...{ key, identityId, reason: 'idle', endedAt, policy: reference, ends: { judgedAt: lastUsedAt } },
        ...given({ rule }),
      },
      now,
    );
    if (isDone) this.refusals.noteEnded(key);
    return isDone;
  }

  private limitOf({ identityId, claims }: VerifiedToken, path: string, policy: AccessTokensPolicy) {
    const further = this.options.roles?.(identityId);
    const roles = further === undefined ? claims.roles : [...claims.roles, ...further];
    return idleLimitOf(policy, { path, roles, subjectMs: this.options.idleOf?.(identityId) });
  }

  private goodFor(
    { identityId, claims }: VerifiedToken,
    verdict: NonNullable<GuardedToken['verdict']>,
    { warnBefore }: AccessTokensPolicy,
    now: number,
  ): TokenDecision {
    this.good += 1;
    const leftMs = Math.min(verdict.idleEndsAt, verdict.endsAt) - now;
    const token = { identityId, claims, verdict };
    return leftMs <= warnBefore ? { kind: 'good', token, leftMs } : { kind: 'good', token };
  }

  /** @param verified absent: not even the signature could be verified */
  private unavailable(system: string, verified: VerifiedToken | undefined): TokenDecision {
    const policy = this.policies.current()?.policy;
    const now = this.now();
    const isGoodByTime =
      policy?.whenUnavailable === 'time' &&
      verified !== undefined &&
      endByTime(verified.claims, policy, now) === undefined;
    return this.refusals.unjudged(system, verified?.identityId, isGoodByTime ? verified : undefined, now);
  }

  private async inForce(): Promise<SectionInForce<AccessTokensPolicy>> {
    const known = this.policies.current();
    if (known !== undefined) return known;
    await this.feed.poll();
    const read = this.policies.current();
    if (read === undefined) throw new UnjudgedError('policy');
    return read;
  }

  private report(error: unknown): void {
    const name = error instanceof Error ? error.name : 'unknown';
    const problem = error instanceof ConfigError ? error.message : undefined;
    this.options.log?.(
      { category: 'ERROR', event: 'token_guard_failed', name, ...given({ problem }) },
      'the guard of tokens failed at a step that is repeated',
    );
  }
}
