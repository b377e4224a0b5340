/** Personal access tokens of an app: checks those that requests carry, and makes, lists, rotates and revokes them. */
import { given } from '../../domain/given.js';
import { parseIdentityId } from '../../domain/identity-id.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import type { TokenRequest } from '../../domain/tokens/personal-request.js';
import { isPersonalToken } from '../../domain/tokens/personal-token.js';
import { judgeToken, missingScopes, type TokenVerdict } from '../../domain/tokens/personal-verdict.js';
import { Listener } from '../../postgres/listener.js';
import { createPool } from '../../postgres/pool.js';
import {
  createToken,
  hashOf,
  type Issued,
  type Issuer,
  type Rotated,
  rotateToken,
} from '../../tokens/personal/issue.js';
import {
  findToken,
  followRoles,
  personalTokensChannel,
  readTokensOf,
  revokeToken,
  type StoredToken,
} from '../../tokens/personal/personal-tokens-table.js';
import { fromPostgres } from '../unjudged.js';
import { checkedHolder, isTokenId, type ListedToken, type TokenCheck, type TokenHolder } from './checks.js';
import type { PersonalTokensOptions, VerifiedToken } from './options.js';
import { isMistake, PolicyInForce } from './policy-in-force.js';
import { TokenCache } from './token-cache.js';
import { UseWriter } from './use-writer.js';

export interface TokenCounters {
  /** Questions about tokens to PostgreSQL. */
  readonly queries: number;
  /** Statements that wrote last uses. */
  readonly writes: number;
}

export class PersonalTokens {
  private readonly pool;
  private readonly inForce: PolicyInForce;
  private readonly cache: TokenCache;
  private readonly writer: UseWriter;
  private readonly listener: Listener;
  private readonly now: () => number;
  private timer: NodeJS.Timeout | undefined;
  private queries = 0;

  /** Opens connections as they are needed. @throws ConfigError where a field of the policy is wrong */
  constructor(private readonly options: PersonalTokensOptions) {
    const { postgresUrl, cacheMs = 10_000, cacheEntries = 10_000, policyMs = 10_000 } = options;
    this.pool = createPool({ url: postgresUrl, connectTimeoutMs: 2_000, statementTimeoutMs: 2_000 });
    this.inForce = new PolicyInForce(this.pool, options.policy);
    this.now = options.clock ?? this.inForce.now;
    this.writer = new UseWriter(this.pool, (error) => this.report(error));
    this.listener = new Listener({
      url: postgresUrl,
      channel: personalTokensChannel,
      onPayload: (payload) => this.hear(payload),
      onLost: () => this.cache.forgetAll(),
      onError: (error) => this.report(error),
    });
    this.cache = new TokenCache({ entries: cacheEntries, cacheMs }, () => this.listener.isListening);
    this.timer = setInterval(() => void this.refresh(), policyMs).unref();
  }

  /**
   * Waits until it listens and the policy was read once, or PostgreSQL was found to be away.
   * @throws ConfigError where the policy has no section `tokens.personal`. UnknownPolicyError
   */
  async ready(): Promise<void> {
    const [read] = await Promise.allSettled([this.inForce.reload(), this.listener.start()]);
    if (read.status === 'rejected' && isMistake(read.reason)) throw read.reason;
    if (read.status === 'rejected') this.report(read.reason);
  }

  /** Reads the policy and the database's clock now, rather than with the next interval. Never throws. */
  async refresh(): Promise<void> {
    try {
      await this.inForce.reload();
    } catch (error) {
      this.report(error);
      // A server that is silent sends no notification either, and the connection would not tell.
      this.listener.renew();
    }
  }

  /** Whether the text begins as a token of this installation. */
  claims(text: string): boolean {
    const policy = this.inForce.current();
    return policy !== undefined && text.startsWith(`${policy.prefix}_`);
  }

  /**
   * Judges a token. Never throws.
   * @param scopes what it must hold, all of them. `counts: false`: the use is noted later, by {@link noteUse}
   */
  async check(
    token: string,
    { scopes = [], counts = true }: { readonly scopes?: readonly string[]; readonly counts?: boolean } = {},
  ): Promise<TokenCheck> {
    const check = await this.judged(token, scopes);
    if (check.kind === 'live' && counts) this.noteUse(check.token);
    return check;
  }

  /**
   * Notes that a live token was used: its last use, and a sign of life of its owner. Returns at once and never throws.
   * Only for uses that the app accepted.
   */
  noteUse({ tokenId, identityId }: Pick<VerifiedToken, 'tokenId' | 'identityId'>): void {
    const at = this.time();
    const policy = this.inForce.current();
    if (policy !== undefined) this.writer.note({ tokenId, at }, policy.writeEvery);
    try {
      this.options.dormouse?.noteActivity(identityId, { at, kind: 'token', source: 'personal-token' });
    } catch (error) {
      this.report(error);
    }
  }

  /** Makes a token. It is in the answer and nowhere else. @throws UnjudgedError where PostgreSQL is away */
  async create(holder: TokenHolder, request: TokenRequest): Promise<Issued> {
    const { identityId, actor, roles } = checkedHolder(holder);
    await this.followRoles(holder);
    const issuer = this.issuer();
    return fromPostgres(() => createToken(issuer, { identityId, actor, roles }, request));
  }

  /**
   * Judges the person's live tokens by their present roles from now on, where the holder says them.
   * @throws UnjudgedError where PostgreSQL is away
   */
  async followRoles({ identityId, roles }: TokenHolder): Promise<void> {
    if (roles === undefined) return;
    const id = parseIdentityId(identityId);
    await fromPostgres(() => followRoles(this.pool, id, [...new Set(roles)].sort()));
    this.cache.forgetOwner(id);
  }

  /** Puts a new token in the place of a live one of the person's. @throws UnjudgedError */
  async rotate(holder: TokenHolder, tokenId: string): Promise<Rotated> {
    const { identityId, actor } = checkedHolder(holder);
    if (!isTokenId(tokenId)) return { kind: 'none' };
    // guard: tokens: a rotation is judged by the present roles
    await this.followRoles(holder);
    const issuer = this.issuer();
    const rotated = await fromPostgres(() => rotateToken(issuer, { tokenId, identityId, actor }));
    this.cache.forgetToken(tokenId);
    return rotated;
  }

  /** Ends a live token of the person's. @returns false where there is none. @throws UnjudgedError */
  async revoke(holder: TokenHolder, tokenId: string): Promise<boolean> {
    const { identityId, actor } = checkedHolder(holder);
    if (!isTokenId(tokenId)) return false;
    const isRevoked = await fromPostgres(() =>
      revokeToken(this.pool, { tokenId, identityId, actor }, this.time()),
    );
    this.cache.forgetToken(tokenId);
    return isRevoked;
  }

  /** The tokens of a person that have not ended, the newest first, each judged. @throws UnjudgedError */
  async list(identityId: string): Promise<ListedToken[]> {
    const stored = await fromPostgres(() => readTokensOf(this.pool, parseIdentityId(identityId)));
    return stored.map((token) => ({ ...token, verdict: this.verdictOf(token) }));
  }

  /** The policy in force. @throws UnjudgedError where it was never read; its `cause` says what operators have to mend */
  policy(): PersonalTokensPolicy {
    return this.inForce.get();
  }

  /** Whether a token is live now, by the policy in force and the uses that were noted here. @throws UnjudgedError */
  verdictOf(stored: StoredToken): TokenVerdict {
    const policy = this.policy();
    const usedAt = Math.max(stored.lastUsedAt ?? 0, this.writer.latestUse(stored.tokenId) ?? 0);
    const token = usedAt === 0 ? stored : { ...stored, lastUsedAt: usedAt };
    return judgeToken(token, personalLimits(policy, stored), stored.owner, policy, this.time());
  }

  /** Epoch milliseconds, whole: PostgreSQL keeps them so here. */
  time(): number {
    return Math.floor(this.now());
  }

  counters(): TokenCounters {
    return { queries: this.queries, writes: this.writer.statementCount() };
  }

  /** Writes last uses that wait. Never throws. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  /** Writes last uses that wait, and closes the connections. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.listener.close();
    await this.writer.close();
    await this.pool.end();
  }

  private async judged(token: string, scopes: readonly string[]): Promise<TokenCheck> {
    try {
      const policy = this.policy();
      // guard: tokens: a malformed token asks nobody
      if (!isPersonalToken(policy.prefix, token)) return this.refuse('malformed');
      const hash = hashOf(token);
      const stored = await this.cache.get(hash.toString('base64url'), () => this.find(hash));
      if (stored === undefined) return this.refuse('unknown');
      const verdict = this.verdictOf(stored);
      if (verdict.state === 'refused') return this.refuse(verdict.why, stored, verdict.rule);
      const missing = missingScopes(stored.scopes, scopes);
      if (missing.length > 0) {
        this.log('insufficient_scope', stored);
        return { kind: 'insufficient-scope', missing };
      }
      const { identityId, tokenId, type } = stored;
      const { expiresAt, inactiveAt } = verdict;
      return {
        kind: 'live',
        token: { identityId, tokenId, type, scopes: stored.scopes, expiresAt, inactiveAt },
      };
    } catch (error) {
      this.report(error);
      this.log('unavailable');
      return { kind: 'unavailable' };
    }
  }

  private find(hash: Buffer): Promise<StoredToken | undefined> {
    this.queries += 1;
    return fromPostgres(() => findToken(this.pool, hash));
  }

  private refuse(
    why: Extract<TokenCheck, { kind: 'refused' }>['why'],
    stored?: StoredToken,
    rule?: string,
  ): TokenCheck {
    this.log(why, stored, rule);
    return { kind: 'refused', why };
  }

  private log(why: string, stored?: StoredToken, rule?: string): void {
    try {
      this.options.log?.(
        {
          ...{ category: 'SECURITY', event: 'personal_token_refused', why },
          ...given({ tokenId: stored?.tokenId, identityId: stored?.identityId, rule }),
        },
        'a personal access token was refused',
      );
    } catch (error) {
      this.report(error);
    }
  }

  private issuer(): Issuer {
    return {
      pool: this.pool,
      policy: this.policy(),
      now: this.time(),
      ...given({ policyId: this.inForce.publishedId, random: this.options.random }),
    };
  }

  private hear(payload: string): void {
    const [what, id] = payload.split('/', 2);
    if (id === undefined) return;
    if (what === 'token') this.cache.forgetToken(id);
    if (what === 'owner') this.cache.forgetOwner(id);
  }

  private report(error: unknown): void {
    try {
      this.options.onError?.(error);
    } catch {
      // A failing logger is the app's to fix, and fails no request.
    }
  }
}
