/** The options of the refresh-token service. Types only; imports nothing that runs. */
import type { IncomingHttpHeaders } from 'node:http';
import type pg from 'pg';
import type { Dormouse } from '../../client.js';
import type { RefreshPolicy } from '../../domain/tokens/refresh-policy.js';

/** The section `tokens.refresh` as a policy file writes it: `{ unused: '180d', sameOrigin: 'off' }`. */
export type RefreshFields = { readonly [field in keyof RefreshPolicy]?: unknown } & {
  /** Allows limits below a day, for tests and demonstrations. */
  readonly allowShortDurations?: boolean;
  readonly published?: never;
};

export interface RefreshTokensOptions {
  /** Dormouse's database. The role of an app suffices (docs/operations). */
  readonly postgresUrl: string;
  /** A pool in place of `postgresUrl`, closed by who made it. */
  readonly pool?: pg.Pool;
  /**
   * 32 random bytes in base64, the same at all instances, and kept apart from the database. After a change, a replay of a token from
   * before it is refused but no longer recognised as reuse.
   */
  readonly key: string;
  /** Own rules, or the latest published version of a policy. The engine's sweep judges families of published policies. */
  readonly policy: RefreshFields | { readonly published: string };
  /**
   * Addresses and networks of the proxies in front, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed. Default: none; the address
   * is that of the socket.
   */
  readonly trustedProxies?: readonly string[];
  /** Notes each use as a sign of life of kind `token`. */
  readonly dormouse?: Pick<Dormouse, 'noteActivity'>;
  /** Epoch milliseconds. Default: the clock of the database, so that all instances agree. */
  readonly clock?: () => number;
  /** Default: `node:crypto`. */
  readonly randomBytes?: (size: number) => Buffer;
  /** Runs between validation and minting, for tests. */
  readonly beforeMint?: () => Promise<void>;
}

/** What the registry reads of a request: Node's own, Fastify's and Express' fit. */
export interface RefreshRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

export interface NewGrant {
  readonly identityId: string;
  /** The app or device that gets the token: a short name without personal data. */
  readonly clientId: string;
  /** Of the sign-in. Absent: address and user agent stay unknown. */
  readonly request?: RefreshRequest;
  /** As the person calls the device. At most 100 characters. */
  readonly deviceName?: string;
  /** When the person signed in, epoch milliseconds. Default: now. */
  readonly authenticatedAt?: number;
}

/** A consent that Hydra asked the app for, which becomes a family when its grant comes. */
export interface HydraConsent {
  readonly identityId: string;
  /** `client.client_id` of the consent request. */
  readonly clientId: string;
  /** `login_session_id` of the consent request. */
  readonly loginSessionId: string;
  readonly request: RefreshRequest;
  /** As the person calls the device. At most 100 characters. */
  readonly deviceName?: string;
}

export type Grant =
  | {
      readonly granted: true;
      readonly familyId: string;
      readonly refreshToken: string;
      /** How many of the person's families the sign-in revoked as stale. */
      readonly revoked: number;
    }
  /** The owner may have no tokens: suspended or revoked since the sign-in, deactivated or deleted. */
  | { readonly granted: false; readonly why: 'account' };

/** A family as its person sees it. Times in epoch milliseconds. */
export interface ListedFamily {
  readonly id: string;
  readonly clientId: string;
  readonly deviceName?: string;
  readonly userAgent?: string;
  /** Whole, or a prefix such as `198.51.100.0/24`. */
  readonly firstAddress?: string;
  readonly lastAddress?: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
  /** It is no longer valid, and why. */
  readonly ended?: { readonly at: number; readonly why: string };
}
