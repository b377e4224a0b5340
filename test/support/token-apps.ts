/** APIs behind the guard of access tokens: an issuer of the test's own, a database of their own, the role of an app, and one clock. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import express from 'express';
import Fastify from 'fastify';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { inactiveTokens as expressTokens } from '../../src/middleware/inactive-tokens/express.js';
import {
  inactiveTokens as fastifyTokens,
  type InactivityJwtStrategy,
} from '../../src/middleware/inactive-tokens/fastify.js';
import type { InactiveTokensAppOptions } from '../../src/middleware/inactive-tokens/options.js';
import { portOf } from '../middleware/support.js';
import { type AppDatabase, openAppDatabase } from './app-database.js';

export const minute = 60_000;
export const issuer = 'https://issuer.example/';
export const audience = 'https://api.example';

export interface TokenApp {
  readonly url: string;
  readonly strategy: InactivityJwtStrategy;
  /** Lines of the log. */
  readonly log: Record<string, unknown>[];
  get(path: string, token?: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export class TokenApps {
  /** How far the apps' clock is ahead, milliseconds. */
  aheadMs = 0;
  private readonly open: TokenApp[] = [];

  private constructor(
    readonly database: AppDatabase,
    readonly key: CryptoKey,
    readonly jwk: JWK,
  ) {}

  static async begin(): Promise<TokenApps> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' };
    return new TokenApps(await openAppDatabase(), privateKey, jwk);
  }

  now = (): number => Date.now() + this.aheadMs;

  /** Epoch seconds. */
  seconds = (): number => Math.floor(this.now() / 1_000);

  /** A token for a new person, issued now and good for an hour, unless the claims say otherwise. */
  async issue(claims: JWTPayload = {}): Promise<{ token: string; identityId: string }> {
    const sub = typeof claims.sub === 'string' ? claims.sub : randomUUID();
    const iat = this.seconds();
    const payload = { iss: issuer, aud: audience, iat, exp: iat + 3_600, jti: randomUUID(), ...claims, sub };
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'at+jwt' })
      .sign(this.key);
    return { token, identityId: sub };
  }

  optionsOf(options: Partial<InactiveTokensAppOptions<unknown>> = {}) {
    const log: Record<string, unknown>[] = [];
    const full: InactiveTokensAppOptions<unknown> = {
      postgresUrl: this.database.appUrl,
      keys: { jwks: { keys: [this.jwk] } },
      issuer,
      audience,
      policy: {},
      // A busy machine is no outage.
      staleMs: 20_000,
      clock: this.now,
      log: (fields) => log.push({ ...fields }),
      ...options,
    };
    return { full, log };
  }

  async fastify(options: Partial<InactiveTokensAppOptions<unknown>> = {}): Promise<TokenApp> {
    const { full, log } = this.optionsOf(options);
    const app = Fastify();
    await app.register(fastifyTokens, full);
    app.get('/public', { config: { dormouseToken: { public: true } } }, (request) => ({
      who: request.dormouseToken?.identityId ?? null,
    }));
    app.get('/*', (request) => ({
      who: request.dormouseToken?.identityId ?? null,
      verdict: request.dormouseToken?.verdict,
    }));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return this.keep(url, app.inactiveTokens, log, () => app.close());
  }

  async express(options: Partial<InactiveTokensAppOptions<unknown>> = {}): Promise<TokenApp> {
    const { full, log } = this.optionsOf(options);
    const tokens = expressTokens(full);
    const app = express();
    app.use(tokens);
    app.use((request, response) => {
      const { dormouseToken } = request as { dormouseToken?: { identityId: string } };
      response.json({ who: dormouseToken?.identityId ?? null });
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await tokens.strategy.ready();
    return this.keep(`http://127.0.0.1:${portOf(server)}`, tokens.strategy, log, async () => {
      await tokens.strategy.close();
      await new Promise((resolve) => server.close(resolve).closeAllConnections());
    });
  }

  async uses(identityId: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.database.pool.query('SELECT * FROM token_use WHERE identity_id = $1', [
      identityId,
    ]);
    return rows;
  }

  /** Entries of the audit log about a person. */
  async audited(identityId: string): Promise<{ outcome: string; detail: Record<string, unknown> }[]> {
    const { rows } = await this.database.pool.query(
      "SELECT outcome, detail FROM audit WHERE target = $1 AND event_type = 'token_refused' ORDER BY seq",
      [identityId],
    );
    return rows;
  }

  async closeApps(): Promise<void> {
    for (const app of this.open.splice(0)) await app.close();
    this.aheadMs = 0;
  }

  async close(): Promise<void> {
    await this.closeApps();
    await this.database.close();
  }

  private keep(
    url: string,
    strategy: InactivityJwtStrategy,
    log: Record<string, unknown>[],
    close: () => Promise<unknown>,
  ): TokenApp {
    const app: TokenApp = {
      url,
      strategy,
      log,
      get: (path, token, headers = {}) =>
        fetch(`${url}${path}`, {
          headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        }),
      async close() {
        await close();
      },
    };
    this.open.push(app);
    return app;
  }
}
