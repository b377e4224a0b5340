/**
 * `POST /v1/hooks/hydra/token`: Hydra asks before it issues any token (`oauth2.token_hook`)
 * whether the identity may have one. Every token passes here, so it makes one read from
 * PostgreSQL, one write where the registry of refresh tokens is on, and no call to Temporal.
 */

import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Dormouse, InvalidIdentityIdError } from '../../client.js';
import { assertUnreachable } from '../../domain/assert.js';
import { given } from '../../domain/given.js';
import { parseIdentityId } from '../../domain/identity-id.js';
import { scoped } from '../../http/access.js';
import { answers, problem } from '../../http/schemas.js';
import type { SlidingAdmission, SlidingGrant } from '../access/sliding.js';
import { admitToken, type TokenRequest, type TokenStanding } from '../admission-rules.js';
import type { HydraGrant } from '../refresh/hydra-grants.js';
import { PromptedLooks } from './prompted-looks.js';

export interface TokenHookOptions {
  readonly keys: readonly string[];
  readonly readStanding: (identityId: string) => Promise<TokenStanding>;
  /** When the standing can't be read: `open` allows the token, `closed` denies it. */
  readonly onFailure: 'open' | 'closed';
  /** Notes a grant with a refresh token in the registry. Absent: there is none. @returns false where its family ended */
  readonly followGrant?: (grant: HydraGrant) => Promise<boolean>;
  /** Whether a client with sliding access gets a token. Absent: no client has it. */
  readonly admitSliding?: (grant: SlidingGrant) => Promise<SlidingAdmission>;
}

/** The relevant part of Hydra's request (v2.3.0, oauth2/token_hook.go). The rest is dropped. */
const body = z.object({
  session: z.object({
    id_token: z
      .object({
        subject: z.string().default(''),
        id_token_claims: z
          .object({
            auth_time: z.union([z.number(), z.string()]).nullish(),
            ext: z.looseObject({ sid: z.unknown() }).nullish(),
          })
          .nullish(),
      })
      .nullish(),
    consent_challenge: z.string().nullish(),
  }),
  request: z.object({
    client_id: z.string().nullish(),
    grant_types: z.array(z.string()),
    requested_scopes: z.array(z.string()).nullish(),
  }),
});
type HookBody = z.infer<typeof body>;

const schema = {
  summary: 'Hydra: may this identity have a token?',
  security: [{ hydraHookKey: [] }],
  body,
  response: {
    ...answers({ 204: z.undefined().describe('Issue it') }),
    403: problem.describe('Do not issue it'),
  },
};

export function hydraTokenHook(dormouse: Dormouse, options: TokenHookOptions): FastifyPluginAsync {
  return async (server) => {
    const looks = new PromptedLooks(dormouse, (error) =>
      server.log.warn({ err: error }, 'a denied attempt could not prompt a look'),
    );
    server.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/hooks/hydra/token',
      schema,
      // The session carries any claims that the app has put there.
      bodyLimit: 131_072,
      config: scoped('hooks:hydra'),
      handler: async (request, reply) => {
        const answer = await decide(dormouse, looks, options, request.body, request.log);
        switch (answer) {
          case 'issue':
            return reply.code(204).send();
          case 'deny':
            return reply.code(403).send({ error: 'access_denied', message: 'Sign in again to get a token.' });
          case 'try-later':
            // Not 403: Hydra then answers server_error, and the app keeps its
            // refresh token for a later attempt.
            return reply.code(503).send({
              error: 'temporarily_unavailable',
              message: 'The standing can not be read at the moment.',
            });
          default:
            return assertUnreachable(answer);
        }
      },
    });
  };
}

async function decide(
  dormouse: Dormouse,
  looks: PromptedLooks,
  options: TokenHookOptions,
  asked: HookBody,
  log: FastifyBaseLogger,
): Promise<'issue' | 'deny' | 'try-later'> {
  const { readStanding, onFailure, followGrant } = options;
  const identityId = identityOf(asked);
  if (identityId === undefined) return 'issue';
  let standing: TokenStanding;
  try {
    standing = await readStanding(identityId);
  } catch (error) {
    log.error({ err: error, onFailure }, 'the token hook could not read a standing');
    return onFailure === 'open' ? 'issue' : 'try-later';
  }
  const admission = admitToken(standing, requestOf(asked));
  if (!admission.allowed) {
    // An admin may have enabled the account in Kratos, which sends no message.
    if (standing.stage === 'deactivated') looks.prompt(identityId);
    return 'deny';
  }
  const sliding = await slidingAnswer(options, asked, identityId, log);
  if (sliding !== 'issue') return sliding;
  const grant = followGrant && refreshGrantOf(asked, identityId);
  if (grant !== undefined) {
    try {
      // guard: refresh: Hydra gets no token for a family that ended
      if ((await followGrant?.(grant)) === false) return 'deny';
    } catch (error) {
      log.error({ err: error, onFailure }, 'the token hook could not follow a refresh token');
      if (onFailure === 'closed') return 'try-later';
    }
  }
  for (const sign of admission.signs) {
    dormouse.noteActivity(identityId, { ...sign, source: 'hydra-token-hook' });
  }
  return 'issue';
}

/** Before the registry notes the grant: it must not hold what was never issued. */
async function slidingAnswer(
  { admitSliding, onFailure }: TokenHookOptions,
  asked: HookBody,
  identityId: string,
  log: FastifyBaseLogger,
): Promise<'issue' | 'deny' | 'try-later'> {
  if (admitSliding === undefined) return 'issue';
  const { grant } = requestOf(asked);
  const clientId = asked.request.client_id ?? '';
  try {
    const admission = await admitSliding({
      ...{ identityId, clientId, grant },
      ...given({ loginSid: loginSidOf(asked) }),
    });
    if (admission === 'admitted' || admission === 'not-sliding') return 'issue';
    log.warn(
      { category: 'SECURITY', event: 'sliding_token_refused', identityId, clientId, why: admission },
      'a client with sliding access got no token',
    );
    return 'deny';
  } catch (error) {
    log.error({ err: error, onFailure }, 'the token hook could not read the session of a sign-in');
    return onFailure === 'open' ? 'issue' : 'try-later';
  }
}

function loginSidOf({ session }: HookBody): string | undefined {
  const sid = session.id_token?.id_token_claims?.ext?.sid;
  return typeof sid === 'string' && opaque.test(sid) ? sid : undefined;
}

/** @returns `undefined` for a token without an identity: client credentials, whose subject is the client */
function identityOf({ session, request }: HookBody): string | undefined {
  if (request.grant_types.includes('client_credentials')) return undefined;
  try {
    return parseIdentityId(session.id_token?.subject);
  } catch (error) {
    if (error instanceof InvalidIdentityIdError) return undefined;
    throw error;
  }
}

function requestOf({ session, request }: HookBody): TokenRequest {
  const grant = (['authorization_code', 'refresh_token'] as const).find((name) =>
    request.grant_types.includes(name),
  );
  const authenticatedAt = timeOf(session.id_token?.id_token_claims?.auth_time);
  return { grant: grant ?? 'other', ...given({ authenticatedAt }) };
}

const opaque = /^[\x21-\x7e]{1,255}$/;
/**
 * With one of these scopes Hydra issues a refresh token. It asks the hook before it copies what was granted of a code, so the request
 * has to do: a family without a refresh token ends as unused.
 */
const offline: readonly string[] = ['offline', 'offline_access'];

/** @returns what the registry follows; `undefined` for a grant without refresh token */
function refreshGrantOf(asked: HookBody, identityId: string): HydraGrant | undefined {
  const { consent_challenge: consent } = asked.session;
  const { client_id: clientId, requested_scopes: scopes } = asked.request;
  const { grant, authenticatedAt } = requestOf(asked);
  if (grant === 'other' || !opaque.test(consent ?? '') || !opaque.test(clientId ?? '')) return undefined;
  if (grant === 'authorization_code' && !scopes?.some((scope) => offline.includes(scope))) return undefined;
  const loginSid = loginSidOf(asked);
  return {
    ...{ consent: consent ?? '', clientId: clientId ?? '', identityId, grant },
    ...given({ authenticatedAt, loginSid }),
  };
}

/** Go writes a time as text, and the zero time as the year 1. The claim itself is in epoch seconds. */
function timeOf(time: number | string | null | undefined): number | undefined {
  const at = typeof time === 'string' ? Date.parse(time) : (time ?? 0) * 1_000;
  return Number.isFinite(at) && at > 0 ? at : undefined;
}
