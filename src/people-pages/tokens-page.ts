/** A person's own access tokens: what each is for, when it ends, and forms to make, replace and revoke one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dayMs } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { personalLimits } from '../domain/tokens/personal-limits.js';
import { usualType } from '../domain/tokens/personal-policy.js';
import { scopesOf } from '../domain/tokens/personal-request.js';
import { pagePaths, tokensPageUrl } from '../links/link-urls.js';
import { durationInWords, formatTime } from '../mail/durations.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import type { ListedToken, TokenHolder } from '../middleware/personal-tokens/checks.js';
import type { PersonalTokens } from '../middleware/personal-tokens/personal-tokens.js';
import { isSameOrigin } from '../middleware/request-origin.js';
import { localeOf } from './accept-language.js';
import { bySession, type PageContext, show } from './page.js';
import { pageSchemas, type TokensForm } from './page-schemas.js';
import type { PageView, TokenTypeView, TokenView } from './render-page.js';
import { whenFreshlySignedIn, whenSignedIn } from './signed-in.js';

type CreateForm = Extract<TokensForm['Body'], { do: 'create' }>;

export function tokenRoutes(
  server: FastifyInstance,
  context: PageContext,
  guard: SessionGuard,
  tokens: PersonalTokens,
): void {
  const url = pagePaths.tokens;
  const origins = [new URL(context.baseUrl).origin];
  // Without a referrer a browser does not say which origin a form comes from, either.
  server.addHook('onSend', async (_request, reply) => {
    reply.header('referrer-policy', 'same-origin');
  });
  server.get(url, { config: bySession, schema: pageSchemas.tokens }, (request, reply) =>
    whenSignedIn(guard, context, request, reply, async ({ session }) =>
      show(request, reply, context, 'tokens', await describe(tokens, session, request)),
    ),
  );
  server.post<TokensForm>(url, { config: bySession, schema: pageSchemas.changeTokens }, (request, reply) => {
    if (!isSameOrigin(request.headers, origins)) return show(request, reply.code(403), context, 'problem');
    // To end a token is never made harder.
    // guard: tokens: the page makes none without a fresh sign-in
    const when = request.body.do === 'revoke' ? whenSignedIn : whenFreshlySignedIn;
    return when(guard, context, request, reply, ({ session }) =>
      change({ context, tokens, request, reply }, session),
    );
  });
}

interface Asked {
  readonly context: PageContext;
  readonly tokens: PersonalTokens;
  readonly request: FastifyRequest<TokensForm>;
  readonly reply: FastifyReply;
}

/** A new token is shown in the answer itself, this once: no other page could show it again. */
async function change(asked: Asked, holder: TokenHolder): Promise<FastifyReply> {
  const { context, tokens, request, reply } = asked;
  const { body } = request;
  switch (body.do) {
    case 'create':
      return create(asked, holder, body);
    case 'rotate': {
      const outcome = await tokens.rotate(holder, body.id);
      if (outcome.kind === 'issued')
        return show(request, reply, context, 'token', { token: outcome.issued.token });
      return reply.redirect(tokensPageUrl(context.baseUrl), 303);
    }
    case 'revoke':
      await tokens.revoke(holder, body.id);
      return reply.redirect(tokensPageUrl(context.baseUrl), 303);
  }
}

async function create(
  { context, tokens, request, reply }: Asked,
  holder: TokenHolder,
  { name, type, scopes, days }: CreateForm,
): Promise<FastifyReply> {
  const outcome = await tokens.create(holder, {
    ...{ name, type, scopes: scopes.split(/\s+/u).filter((scope) => scope !== '') },
    ...given({ expiresAt: days === undefined ? undefined : tokens.time() + days * dayMs }),
  });
  if (outcome.kind === 'issued') {
    return show(request, reply, context, 'token', { token: outcome.issued.token });
  }
  // Signed in, and deleted: Kratos has the session a moment longer than the account.
  if (outcome.kind === 'owner-deleted') return show(request, reply, context, 'not-signed-in');
  const field = outcome.kind === 'refused' ? outcome.problem.field : undefined;
  return show(request, reply.code(400), context, 'tokens', {
    ...(await describe(tokens, holder, request)),
    ...{ typedName: name, typedScopes: scopes, typedDays: days === undefined ? '' : String(days) },
    isTooMany: outcome.kind === 'too-many',
    isNameWrong: field === 'name',
    isTypeWrong: field === 'type',
    isScopesWrong: field === 'scopes',
    isExpiryWrong: field === 'expiresAt',
  });
}

async function describe(
  tokens: PersonalTokens,
  holder: TokenHolder,
  { headers }: FastifyRequest,
): Promise<Partial<PageView>> {
  const { identityId, roles = [] } = holder;
  const { formatTag } = localeOf(headers['accept-language']);
  const policy = tokens.policy();
  const types = [...new Set([usualType, ...Object.keys(policy.types)])].map((type): TokenTypeView => {
    const { inactiveMs, lifetimeMs } = personalLimits(policy, { type, roles });
    return {
      type,
      unused: inactiveMs === null ? '' : durationInWords(inactiveMs, formatTag),
      longest: lifetimeMs === null ? '' : durationInWords(lifetimeMs, formatTag),
      scopes: scopesOf(policy, type).join(' '),
    };
  });
  await tokens.followRoles(holder);
  const own = await tokens.list(identityId);
  return { tokens: own.map((token) => tokenView(token, formatTag)), tokenTypes: types };
}

function tokenView(
  { tokenId, name, type, scopes, createdAt, lastUsedAt, verdict }: ListedToken,
  formatTag: string,
): TokenView {
  const at = (time: number | null | undefined) =>
    typeof time === 'number' ? formatTime(time, formatTag) : '';
  const isLive = verdict.state === 'live';
  return {
    ...{ id: tokenId, name, type, isLive, scopes: scopes.join(' ') },
    since: at(createdAt),
    seen: at(lastUsedAt),
    expires: at(isLive ? verdict.expiresAt : undefined),
    unusedUntil: at(isLive ? verdict.inactiveAt : undefined),
  };
}
