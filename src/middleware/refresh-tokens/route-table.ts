/** The routes of the plugin (docs/refresh-tokens.md). Knows no server framework. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { given } from '../../domain/given.js';
import type { Mint } from '../../tokens/refresh/exchange.js';
import { type Answer, empty, invalid, iso, json } from '../answers.js';
import { isOwnRequest } from '../request-origin.js';
import type { ListedFamily, RefreshRequest } from './options.js';
import type { RefreshTokens } from './refresh-tokens.js';

/** Who asks, as the app has verified it. */
export interface TokenHolder {
  readonly identityId: string;
  /** The family of the access token that was presented, which "revoke others" keeps. */
  readonly familyId?: string;
}

export interface RefreshRoutesOptions {
  /** Origins that may change something, such as `https://app.example`. Default: the one that the request's `Host` names. */
  readonly origins?: readonly string[];
  /** Makes the access token. Absent: no route exchanges tokens, and the app does it itself. Its fields are those of the answer. */
  readonly mint?: Mint<Readonly<Record<string, unknown>>>;
}

export interface RouteRequest {
  readonly method: string;
  /** Below the prefix, without slashes around it; empty: the prefix itself. */
  readonly route: string;
  /** Parsed JSON; `undefined` where there is none. */
  readonly body: unknown;
  /** For the registry: headers and the socket's address. */
  readonly request: RefreshRequest;
  /** `undefined`: nobody is signed in. */
  readonly identify: () => Promise<TokenHolder | undefined>;
}

type Handler = (request: RouteRequest) => Promise<Answer>;

/** Largest body that any route takes, bytes. */
export const largestBody = 1_024;

/** PostgreSQL is away, or minting failed: nothing was decided. */
export const unavailable = json(503, { error: 'unavailable' }, { 'retry-after': '5' });

const tokenBody = z.object({ refreshToken: z.string().max(200) });
const familyId = z.uuid();

export class RefreshRoutes {
  private readonly table: Readonly<Record<string, Readonly<Record<string, Handler>>>>;

  constructor(
    private readonly tokens: RefreshTokens,
    private readonly options: RefreshRoutesOptions,
  ) {
    const { mint } = options;
    this.table = {
      '': { GET: this.ofPerson((holder) => this.list(holder)) },
      'revoke-others': { POST: this.ofPerson((holder) => this.revokeOthers(holder)) },
      'revoke-all': {
        POST: this.ofPerson(async ({ identityId }) => {
          await tokens.revokeAll(identityId);
          return empty;
        }),
      },
      ...(mint !== undefined && {
        exchange: { POST: (request) => this.exchange(request, mint) },
        'sign-out': { POST: (request) => this.signOut(request) },
      }),
    };
  }

  /** @returns `undefined` where there is no such route */
  async handle(request: RouteRequest): Promise<Answer | undefined> {
    const { route } = request;
    const methods = Object.hasOwn(this.table, route)
      ? this.table[route]
      : familyId.safeParse(route).success
        ? { DELETE: this.ofPerson((holder) => this.revoke(holder, route)) }
        : undefined;
    if (methods === undefined) return undefined;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler === undefined) {
      return json(405, { error: 'method_not_allowed' }, { allow: Object.keys(methods).join(', ') });
    }
    return handler(request);
  }

  /** A route for the person who is signed in. One that changes something is only taken from the app itself. */
  private ofPerson(work: (holder: TokenHolder) => Promise<Answer>): Handler {
    return async ({ method, request, identify }) => {
      const reads = method === 'GET' || method === 'HEAD';
      // guard: refresh: a change by a cookie comes from the app’s own pages
      if (!reads && !isBearer(request.headers) && !isOwnRequest(request.headers, this.options.origins)) {
        return json(403, {
          error: 'cross_origin',
          message: 'send x-dormouse-request: 1 from a page of the app itself',
        });
      }
      const holder = await identify();
      return holder === undefined ? unauthorized('not_signed_in') : work(holder);
    };
  }

  private async list({ identityId, familyId: current }: TokenHolder): Promise<Answer> {
    const families = await this.tokens.list(identityId);
    return json(200, { families: families.map((family) => shown(family, family.id === current)) });
  }

  private async revoke({ identityId }: TokenHolder, id: string): Promise<Answer> {
    return (await this.tokens.revoke(identityId, id.toLowerCase()))
      ? empty
      : json(404, { error: 'not_found' });
  }

  private async revokeOthers({ identityId, familyId: kept }: TokenHolder): Promise<Answer> {
    if (kept === undefined) {
      return json(409, {
        error: 'family_unknown',
        message: 'the app does not say which family asks, so none can be kept. Use revoke-all',
      });
    }
    await this.tokens.revokeOthers(identityId, kept);
    return empty;
  }

  private async exchange(
    { body, request }: RouteRequest,
    mint: Mint<Readonly<Record<string, unknown>>>,
  ): Promise<Answer> {
    const parsed = tokenBody.safeParse(body);
    if (!parsed.success) return invalid('refreshToken', 'is missing, or no text of at most 200 characters');
    const outcome = await this.tokens.exchange(parsed.data.refreshToken, request, mint);
    return outcome.granted
      ? json(200, { ...outcome.minted, refreshToken: outcome.refreshToken })
      : unauthorized('invalid_token');
  }

  private async signOut({ body }: RouteRequest): Promise<Answer> {
    const parsed = tokenBody.safeParse(body);
    if (!parsed.success) return invalid('refreshToken', 'is missing, or no text of at most 200 characters');
    await this.tokens.signOut(parsed.data.refreshToken);
    return empty;
  }
}

/** A browser sends this by itself for no origin. */
function isBearer({ authorization }: IncomingHttpHeaders): boolean {
  return /^Bearer \S/i.test(authorization ?? '');
}

/** The reason stays in the registry: whoever presents a stolen token learns nothing. */
function unauthorized(error: string): Answer {
  return json(401, { error }, { 'www-authenticate': `Bearer error="invalid_token"` });
}

function shown({ createdAt, lastUsedAt, ended, ...family }: ListedFamily, current: boolean) {
  return {
    ...family,
    current,
    createdAt: iso(createdAt),
    ...given({
      lastUsedAt: lastUsedAt === undefined ? undefined : iso(lastUsedAt),
      ended: ended && { at: iso(ended.at), why: ended.why },
    }),
  };
}
