/** Refresh tokens of the app's own: issued, rotated, listed and revoked by one registry (docs/refresh-tokens.md). */
import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { ConfigError } from '../../config.js';
import { textProblem } from '../../domain/free-text.js';
import { given } from '../../domain/given.js';
import { parseIdentityId } from '../../domain/identity-id.js';
import { opaqueNamePattern } from '../../domain/names.js';
import { PolicyReader } from '../../policies/policies-table.js';
import { databaseNow } from '../../postgres/database-now.js';
import { createPool } from '../../postgres/pool.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import { isOwnerAdmitted } from '../../tokens/refresh/admission.js';
import { endStaleAtSignIn } from '../../tokens/refresh/at-sign-in.js';
import { trustedProxies } from '../../tokens/refresh/client-address.js';
import { noteConsent } from '../../tokens/refresh/consents-table.js';
import { type Exchange, exchangeToken, familyOfToken, type Mint } from '../../tokens/refresh/exchange.js';
import {
  endFamilies,
  type FamilyEndReason,
  type RefreshFamily,
  readFamilies,
  readLiveFamilies,
  startFamily,
} from '../../tokens/refresh/families-table.js';
import { endStaleFamilies } from '../../tokens/refresh/sweep.js';
import { cutAddresses } from '../../tokens/refresh/sweep-table.js';
import { firstToken, formatToken } from '../../tokens/refresh/token.js';
import { readTokenStanding } from '../../tokens/token-standings.js';
import type {
  Grant,
  HydraConsent,
  ListedFamily,
  NewGrant,
  RefreshRequest,
  RefreshTokensOptions,
} from './options.js';
import { originOf } from './origin.js';
import { RefreshPolicySource } from './policy-source.js';

const source = 'refresh-tokens';
const keyBytes = 32;
/** What Hydra names clients and login sessions by. */
const hydraName = /^[\x21-\x7e]{1,255}$/;

/**
 * @example
 * ```ts
 * const tokens = new RefreshTokens({ postgresUrl, key, policy: { published: 'default' }, trustedProxies: ['10.0.0.0/8'] });
 * const granted = await tokens.issue({ identityId, clientId: 'web', request });
 * const answer = await tokens.exchange(body.refreshToken, request, ({ identityId }) => signAccessToken(identityId));
 * if (!answer.granted) return reply.code(401).send({ error: 'invalid_token' });
 * ```
 */
export class RefreshTokens {
  private readonly pool: pg.Pool;
  private readonly key: Buffer;
  private readonly policies: RefreshPolicySource;
  private readonly trusted;

  /** @throws ConfigError, TypeError naming the option that is wrong */
  constructor(private readonly options: RefreshTokensOptions) {
    this.key = parseKey(options.key);
    this.trusted = trustedProxies(options.trustedProxies ?? []);
    this.pool = options.pool ?? createPool({ url: options.postgresUrl, statementTimeoutMs: 10_000 });
    this.policies = new RefreshPolicySource(options.policy, new PolicyReader(this.pool));
  }

  /**
   * Starts a family for a person who has just signed in, after revoking their stale ones.
   * @throws InvalidIdentityIdError, InvalidRequestError: the caller's mistake; nothing was written
   */
  async issue(grant: NewGrant): Promise<Grant> {
    const identityId = parseIdentityId(grant.identityId);
    const { clientId, deviceName } = checked(grant);
    checkSignIn(grant.authenticatedAt);
    const judgedBy = await this.policies.current();
    const now = await this.now();
    const signedInAt = Math.min(grant.authenticatedAt ?? now, now);
    if (!isOwnerAdmitted(await readTokenStanding(this.pool, identityId), signedInAt)) {
      return { granted: false, why: 'account' };
    }
    const origin = originOf(grant.request, this.trusted);
    const revoked = await endStaleAtSignIn(this.pool, judgedBy, { identityId, origin }, now);
    const familyId = randomUUID();
    const token = firstToken(familyId, (this.options.randomBytes ?? randomBytes)(keyBytes));
    await startFamily(this.pool, {
      ...{ familyId, identityId, clientId, signedInAt, createdAt: now, from: { token } },
      ...given({ deviceName, policyId: judgedBy.reference?.id }),
      ...origin,
    });
    this.note(identityId);
    return { granted: true, familyId, refreshToken: formatToken(token), revoked };
  }

  /**
   * Exchanges a refresh token: one line of tokens, however many ask at once. Answer a refusal with 401, whatever its reason.
   * @param mint makes the access token, while a revocation waits: sign, and call nobody. When it throws, nothing was exchanged
   * @throws where PostgreSQL is away or minting failed: the token may be presented again
   */
  async exchange<Minted>(
    token: unknown,
    request: RefreshRequest | undefined,
    mint: Mint<Minted>,
  ): Promise<Exchange<Minted>> {
    const { clock, beforeMint } = this.options;
    const outcome = await exchangeToken(
      { pool: this.pool, key: this.key, ...given({ clock, beforeMint }) },
      await this.policies.current(),
      { token, origin: originOf(request, this.trusted) },
      mint,
    );
    // A refused attempt is no sign of life: a stolen token must not keep an account alive.
    if (outcome.granted) this.note(outcome.identityId);
    return outcome;
  }

  /** For sign-ins that get no token here: revokes the person's stale families. @returns how many */
  async signIn(identityId: string, request?: RefreshRequest): Promise<number> {
    const judgedBy = await this.policies.current();
    const origin = originOf(request, this.trusted);
    return endStaleAtSignIn(
      this.pool,
      judgedBy,
      { identityId: parseIdentityId(identityId), origin },
      await this.now(),
    );
  }

  /**
   * On the consent page of Hydra, before the consent is accepted: remembers device, address and user agent for the family that the
   * grant will be.
   * @throws InvalidIdentityIdError, InvalidRequestError
   */
  async consent(consent: HydraConsent): Promise<void> {
    const { clientId, deviceName } = checked(consent, hydraName);
    if (!hydraName.test(consent.loginSessionId)) {
      throw new InvalidRequestError(
        'loginSessionId is none of Hydra. Pass login_session_id of the consent request',
      );
    }
    await noteConsent(
      this.pool,
      {
        ...{ identityId: parseIdentityId(consent.identityId), clientId, loginSid: consent.loginSessionId },
        ...given({ deviceName }),
        ...originOf(consent.request, this.trusted),
      },
      await this.now(),
    );
  }

  /** Destroys the server's copy: ends the token's family. A made-up or ended token changes nothing. */
  async signOut(token: unknown): Promise<void> {
    const family = await familyOfToken({ pool: this.pool, key: this.key }, token);
    if (family !== undefined) await this.end([family], 'signed_out');
  }

  /** Ends one family of a person. @returns whether they have a live one of this id */
  async revoke(identityId: string, familyId: string): Promise<boolean> {
    const asked = familyId.toLowerCase();
    return (await this.endOwn(identityId, (one) => one.familyId === asked, 'by_person')) > 0;
  }

  /**
   * Ends all families of a person but one. @returns how many
   * @throws InvalidRequestError where the one is no id: all would end
   */
  async revokeOthers(identityId: string, keptFamilyId: string): Promise<number> {
    const kept = z.uuid().safeParse(keptFamilyId);
    if (!kept.success) {
      throw new InvalidRequestError('keptFamilyId is no id of a family. To end all, call revokeAll');
    }
    return this.endOwn(identityId, (one) => one.familyId !== kept.data.toLowerCase(), 'by_person');
  }

  /** Ends all families of a person. @returns how many */
  async revokeAll(identityId: string): Promise<number> {
    return this.endOwn(identityId, () => true, 'by_person');
  }

  /**
   * To be called once the person's password was reset.
   * @param personWants what the person chose, for a policy that asks. Without a choice all end
   * @returns how many families ended
   */
  async passwordReset(identityId: string, personWants?: 'revoke' | 'keep'): Promise<number> {
    const { policy } = await this.policies.current();
    const wanted = policy.onPasswordReset === 'ask' ? (personWants ?? 'revoke') : policy.onPasswordReset;
    return wanted === 'keep' ? 0 : this.endOwn(identityId, () => true, 'password_reset');
  }

  /** The person's families: the live ones, and those that ended lately with the reason. Never a token. */
  async list(identityId: string): Promise<ListedFamily[]> {
    const { policy } = await this.policies.current();
    const endedSince = (await this.now()) - policy.keepDead;
    return (await readFamilies(this.pool, parseIdentityId(identityId), endedSince)).map(listed);
  }

  /**
   * For a policy of the app's own, on a timer: ends stale families of people who never come, and cuts old addresses. Families of
   * published policies are the engine's to sweep.
   * @returns how many ended
   */
  async sweep(): Promise<number> {
    const judgedBy = await this.policies.current();
    if (judgedBy.reference !== undefined) return 0;
    const now = await this.now();
    const { ended } = await endStaleFamilies({ pool: this.pool }, judgedBy, now);
    while ((await cutAddresses(this.pool, null, now - judgedBy.policy.keepAddress)) > 0);
    return ended;
  }

  /** Closes the connections that it opened. */
  async close(): Promise<void> {
    if (this.options.pool === undefined) await this.pool.end();
  }

  private async endOwn(
    identityId: string,
    chosen: (family: RefreshFamily) => boolean,
    why: FamilyEndReason,
  ): Promise<number> {
    const families = await readLiveFamilies(this.pool, parseIdentityId(identityId));
    return this.end(families.filter(chosen), why);
  }

  private async end(families: readonly RefreshFamily[], why: FamilyEndReason): Promise<number> {
    const familyIds = families.map(({ familyId }) => familyId);
    return (await endFamilies(this.pool, { familyIds, why }, await this.now())).length;
  }

  private async now(): Promise<number> {
    return Math.floor(this.options.clock?.() ?? (await databaseNow(this.pool)));
  }

  private note(identityId: string): void {
    this.options.dormouse?.noteActivity(identityId, { kind: 'token', source });
  }
}

/** @throws InvalidRequestError */
function checked(
  { clientId, deviceName }: Pick<NewGrant, 'clientId' | 'deviceName'>,
  names = opaqueNamePattern,
): Pick<NewGrant, 'clientId' | 'deviceName'> {
  if (!names.test(clientId)) {
    throw new InvalidRequestError(
      names === hydraName
        ? 'clientId is none of Hydra. Pass client.client_id of the consent request'
        : 'clientId must be a name of at most 64 letters, digits and . _ : / -, never an e-mail address',
    );
  }
  const problem = deviceName === undefined ? undefined : textProblem(deviceName, { characters: 100 });
  if (problem !== undefined) throw new InvalidRequestError(`deviceName ${problem}`);
  return { clientId, ...given({ deviceName: deviceName?.normalize('NFC') }) };
}

/** In seconds, a sign-in of today would be one of 1970. */
const firstSignIn = Date.UTC(2000, 0, 1);

/** @throws InvalidRequestError */
function checkSignIn(authenticatedAt: number | undefined): void {
  if (authenticatedAt === undefined || authenticatedAt >= firstSignIn) return;
  throw new InvalidRequestError(
    'authenticatedAt is no time of a sign-in. Pass epoch milliseconds: an auth_time in seconds times 1000',
  );
}

function listed({ familyId, clientId, createdAt, ...family }: RefreshFamily): ListedFamily {
  const { deviceName, userAgent, firstAddress, lastAddress, lastUsedAt, ended } = family;
  return {
    id: familyId,
    clientId,
    createdAt,
    ...given({ deviceName, userAgent, firstAddress, lastAddress, lastUsedAt, ended }),
  };
}

/** @throws ConfigError; it never repeats the text */
function parseKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text) || key.length !== keyBytes) {
    throw new ConfigError('key takes 32 bytes in base64. Make one with: openssl rand -base64 32');
  }
  return key;
}
