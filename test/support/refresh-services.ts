/** Refresh-token services of an app: a database of their own, the role of an app, and one clock that a test moves. */
import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { RefreshRequest, RefreshTokensOptions } from '../../src/middleware/refresh-tokens/options.js';
import { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { grantRole } from '../../src/postgres/roles.js';
import { type FreshDatabase, openFreshDatabase } from './system-database.js';

export const begin = Date.parse('2026-03-02T09:00:00Z');

/** Mints nothing but the name of whom it is for. */
export const mint = ({ identityId, issuedAt }: { identityId: string; issuedAt: number }) =>
  `${identityId}@${issuedAt}`;

export class RefreshServices {
  /** Epoch milliseconds. */
  now = begin;
  private readonly open: RefreshTokens[] = [];
  private readonly key = randomBytes(32).toString('base64');

  private constructor(
    private readonly database: FreshDatabase,
    private readonly role: string,
    /** As the role of an app. */
    readonly appUrl: string,
  ) {}

  static async begin(): Promise<RefreshServices> {
    const database = await openFreshDatabase();
    const role = `app_${randomBytes(6).toString('hex')}`;
    await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
    await grantRole(database.url, role, 'app');
    const url = new URL(database.url);
    url.username = role;
    url.password = 'app';
    return new RefreshServices(database, role, url.href);
  }

  /** As the owner of the tables. */
  get pool(): pg.Pool {
    return this.database.pool;
  }

  /** One instance of the app's service. */
  service(options: Partial<RefreshTokensOptions> = {}): RefreshTokens {
    const service = new RefreshTokens({ ...this.optionsOf(), ...options });
    this.open.push(service);
    return service;
  }

  optionsOf(): RefreshTokensOptions {
    return { postgresUrl: this.appUrl, key: this.key, policy: {}, clock: () => this.now };
  }

  /** Signs a person in. @returns their family and its first token */
  async signIn(
    service: RefreshTokens,
    { identityId = randomUUID() as string, request = requestFrom('203.0.113.9') } = {},
  ) {
    const granted = await service.issue({ identityId, clientId: 'web', request });
    if (!granted.granted) throw new Error('no token was granted');
    return { identityId, ...granted };
  }

  /** The row of a family. */
  async row(familyId: string): Promise<Record<string, unknown> | undefined> {
    const { rows } = await this.pool.query('SELECT * FROM refresh_family WHERE family_id = $1', [familyId]);
    return rows[0];
  }

  /** Moves what is stored of a family into the past. */
  async age(familyId: string, createdAt: number, lastUsedAt?: number): Promise<void> {
    await this.pool.query(
      'UPDATE refresh_family SET created_at = $2, signed_in_at = $2, last_used_at = $3 WHERE family_id = $1',
      [familyId, new Date(createdAt), lastUsedAt === undefined ? null : new Date(lastUsedAt)],
    );
  }

  async close(): Promise<void> {
    for (const service of this.open) await service.close();
    await this.pool.query(`DROP OWNED BY ${this.role}`);
    await this.pool.query(`DROP ROLE ${this.role}`);
    await this.database.close();
  }
}

export function requestFrom(
  remoteAddress: string,
  headers: Record<string, string> = { 'user-agent': 'Browser/1' },
): RefreshRequest {
  return { headers, socket: { remoteAddress } };
}
