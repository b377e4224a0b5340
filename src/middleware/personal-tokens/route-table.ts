/** The routes on which people manage their own tokens (docs/personal-access-tokens.md). Knows no server framework. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { formatDuration } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { rfc3339Text } from '../../domain/rfc3339-text.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import { usualType } from '../../domain/tokens/personal-policy.js';
import { scopesOf } from '../../domain/tokens/personal-request.js';
import type { IssuedToken } from '../../tokens/personal/issue.js';
import { type Answer, empty, invalid, iso, json } from '../answers.js';
import { isOwnRequest } from '../request-origin.js';
import { UnjudgedError } from '../unjudged.js';
import type { ListedToken, TokenHolder } from './checks.js';
import type { PersonalTokens } from './personal-tokens.js';

export interface RouteRequest {
  readonly method: string;
  /** Below the prefix, without slashes around it: ``, `<id>` or `<id>/rotate`. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; `undefined` where there is none. */
  readonly body: unknown;
  /** The person who asks; `undefined`: nobody is signed in. */
  readonly holder: TokenHolder | undefined;
}

const createBody = z.strictObject({
  name: z.string({ error: 'is missing. Say what the token is for' }),
  type: z.string().exactOptional(),
  scopes: z.array(z.string(), { error: 'is not a list of scopes' }).exactOptional(),
  expiresAt: rfc3339Text('is not a time with a zone. Write it as 2027-01-31T00:00:00Z')
    .transform((text) => Date.parse(text))
    .exactOptional(),
});
const tokenId = z.uuid();

/** Largest body that any route takes, bytes. */
export const largestBody = 8_192;

export class PersonalTokenRoutes {
  /** @param origins that may change something; absent: the one that the request's `Host` names */
  constructor(
    private readonly tokens: PersonalTokens,
    private readonly origins: readonly string[] | undefined,
  ) {}

  async handle(request: RouteRequest): Promise<Answer> {
    const { holder, method, headers } = request;
    if (holder === undefined) {
      return json(401, { error: 'no_session' }, { 'www-authenticate': 'Session realm="app"' });
    }
    // A browser sends cookies by itself: a change has to come from the app's own pages.
    if (method !== 'GET' && method !== 'HEAD' && !isOwnRequest(headers, this.origins)) {
      return json(403, {
        error: 'cross_origin',
        message: 'send x-dormouse-request: 1 from a page of the app itself',
      });
    }
    try {
      return await this.answered(request, holder);
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      return unjudged(error);
    }
  }

  private async answered({ method, route, body }: RouteRequest, holder: TokenHolder): Promise<Answer> {
    const [id, action, ...more] = route === '' ? [] : route.split('/');
    if (more.length > 0 || (action !== undefined && action !== 'rotate')) return notFound();
    if (id === undefined) {
      if (method === 'GET' || method === 'HEAD') return this.list(holder);
      return method === 'POST' ? this.create(holder, body) : notAllowed('GET, POST');
    }
    // The same answer as for a token that is another person's: nobody learns which ids exist.
    if (!tokenId.safeParse(id).success) return notFound();
    if (action === 'rotate') return method === 'POST' ? this.rotate(holder, id) : notAllowed('POST');
    return method === 'DELETE' ? this.revoke(holder, id) : notAllowed('DELETE');
  }

  private async list(holder: TokenHolder): Promise<Answer> {
    await this.tokens.followRoles(holder);
    const tokens = await this.tokens.list(holder.identityId);
    return json(200, {
      now: iso(this.tokens.time()),
      types: this.types(holder),
      tokens: tokens.map((token) => viewOf(token)),
    });
  }

  private async create(holder: TokenHolder, body: unknown): Promise<Answer> {
    const parsed = createBody.safeParse(body ?? {});
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return invalid(issue?.path.join('.') || 'body', issue?.message ?? 'is malformed');
    }
    const outcome = await this.tokens.create(holder, parsed.data);
    switch (outcome.kind) {
      case 'refused':
        return invalid(outcome.problem.field, outcome.problem.message);
      case 'too-many':
        return json(409, {
          error: 'too_many_tokens',
          message: `there are ${outcome.atMost} live tokens already. Revoke one first`,
        });
      case 'owner-deleted':
        return json(410, {
          error: 'owner_deleted',
          message: 'the account was deleted: no token is made for it any more',
        });
      case 'issued':
        return json(201, this.issuedView(outcome.issued));
    }
  }

  private async rotate(holder: TokenHolder, id: string): Promise<Answer> {
    const outcome = await this.tokens.rotate(holder, id);
    return outcome.kind === 'none' ? notFound() : json(201, this.issuedView(outcome.issued));
  }

  private async revoke(holder: TokenHolder, id: string): Promise<Answer> {
    return (await this.tokens.revoke(holder, id)) ? empty : notFound();
  }

  /** The only answer that ever holds a token. */
  private issuedView({ token, stored }: IssuedToken) {
    return { token, ...viewOf({ ...stored, verdict: this.tokens.verdictOf(stored) }) };
  }

  /** What the person may ask for, with the policy's limits as they are shown: `365d` or `never`. */
  private types({ roles = [] }: TokenHolder) {
    const policy = this.tokens.policy();
    return [...new Set([usualType, ...Object.keys(policy.types)])].map((type) => {
      const { inactiveMs, lifetimeMs } = personalLimits(policy, { type, roles });
      return {
        type,
        inactive: inactiveMs === null ? 'never' : formatDuration(inactiveMs),
        longestLifetime: lifetimeMs === null ? 'unlimited' : formatDuration(lifetimeMs),
        scopes: scopesOf(policy, type),
      };
    });
  }
}

function viewOf({ verdict, tokenId: id, name, type, scopes, createdAt, lastUsedAt, ...token }: ListedToken) {
  const at = (time: number | null | undefined) => (typeof time === 'number' ? iso(time) : null);
  const isLive = verdict.state === 'live';
  return {
    ...{ id, name, type, scopes, state: isLive ? 'live' : verdict.why },
    createdAt: iso(createdAt),
    lastUsedAt: at(lastUsedAt),
    expiresAt: at(isLive ? verdict.expiresAt : token.expiresAt),
    /** When it ends where nobody uses it. */
    inactiveAt: at(isLive ? verdict.inactiveAt : undefined),
    ...given({ rotatedFrom: token.rotatedFrom }),
  };
}

/** What stands in the way: the policy, which operators mend, or PostgreSQL, which comes back. */
function unjudged({ system, cause }: UnjudgedError): Answer {
  if (system !== 'policy') return json(503, { error: 'unavailable' }, { 'retry-after': '5' });
  if (cause === undefined) {
    const message = 'the policy of tokens was not read yet, because PostgreSQL is away. Ask again';
    return json(503, { error: 'policy_not_read', message }, { 'retry-after': '5' });
  }
  const message = 'there is no policy of tokens: it was never published, or has no section "tokens.personal"';
  return json(500, { error: 'no_policy', message });
}

function notFound(): Answer {
  return json(404, { error: 'not_found' });
}

function notAllowed(allow: string): Answer {
  return json(405, { error: 'method_not_allowed' }, { allow });
}
