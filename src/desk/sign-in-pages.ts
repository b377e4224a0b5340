/** The way in and out: to the issuer, back from it, and the end of the session. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findPrincipal, open, type PageAccess, scopedPage } from '../http/access.js';
import type { Gate } from '../http/gate.js';
import { beginOperatorSession, endOperatorSession } from '../principals/operator-sessions-table.js';
import type { SignInRefusal } from '../principals/sign-in.js';
import type { DeskContext } from './context.js';
import { home, returnPath } from './return-path.js';
import { type Problem, show, showProblem } from './show.js';

const bySignIn = open('nobody is signed in yet; what comes back is checked with the issuer', 'operators');
/** Where the issuer sends the browser back to. */
export const signedInPath = '/desk/signed-in';

const query = z.object({ to: z.string().optional(), again: z.string().optional() });
const schema = { hide: true, querystring: query };

export function signInRoutes(
  plain: FastifyInstance,
  context: DeskContext,
  access: PageAccess,
  gate: Gate,
): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  const onRequest = gate.guardOpen;
  server.get('/desk/sign-in', { config: bySignIn, schema, onRequest }, async (request, reply) => {
    const { aliases } = context.signIn;
    const { to, again } = request.query;
    const [only] = aliases;
    if (aliases.length === 1 && only !== undefined)
      return begin(context, request, reply, only, { to, again });
    const more = new URLSearchParams({
      to: returnPath(to),
      ...(again !== undefined && { again }),
    }).toString();
    const issuers = aliases.map((label) => ({ label, href: `/desk/sign-in/${label}?${more}` }));
    return show(context, request, reply, 'sign-in', { title: 'Sign in', view: { issuers } });
  });
  server.get(
    '/desk/sign-in/:alias',
    { config: bySignIn, schema: { ...schema, params: z.object({ alias: z.string() }) }, onRequest },
    (request, reply) => begin(context, request, reply, request.params.alias, request.query),
  );
  plain.get(signedInPath, { config: bySignIn, schema: { hide: true }, onRequest }, (request, reply) =>
    comeBack(context, request, reply),
  );
  plain.post(
    '/desk/sign-out',
    { config: scopedPage('standing:read', access), schema: { hide: true } },
    async (request, reply) => {
      const secret = context.cookies.session(request.headers);
      if (secret !== undefined) await endOperatorSession(context.pool, secret);
      note(request, 'operator_signed_out', { actor: findPrincipal(request)?.actor });
      return reply.header('set-cookie', context.cookies.clearSession()).redirect('/desk/signed-out', 303);
    },
  );
  plain.get(
    '/desk/signed-out',
    { config: open('says only that somebody is signed out', 'operators'), schema: { hide: true }, onRequest },
    async (request, reply) =>
      show(context, request, reply, 'signed-out', {
        title: 'Signed out',
        view: { again: '/desk/sign-in?again=1' },
      }),
  );
}

async function begin(
  { signIn, cookies, ...context }: DeskContext,
  request: FastifyRequest,
  reply: FastifyReply,
  alias: string,
  { to, again }: { readonly to?: string | undefined; readonly again?: string | undefined },
): Promise<FastifyReply> {
  const begun = await signIn.begin(alias, again !== undefined);
  if (begun === undefined) {
    return showProblem({ signIn, cookies, ...context }, request, reply, problems.unavailable);
  }
  reply.header('set-cookie', cookies.setSignIn({ ...begun.underWay, to: returnPath(to) }));
  return reply.redirect(begun.url.href, 303);
}

async function comeBack(
  context: DeskContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { cookies, signIn, pool } = context;
  const underWay = cookies.signIn(request.headers);
  const query = new URL(request.url, context.url).searchParams;
  const answer =
    underWay === undefined
      ? ({ kind: 'refused', cause: 'forged' } as const)
      : await signIn.end(underWay, query);
  if (answer.kind === 'refused') {
    note(request, 'sign_in_refused', { cause: answer.cause, actor: answer.actor });
    reply.header('set-cookie', cookies.clearSignIn());
    return showProblem(context, request, reply, problems[answer.cause]);
  }
  // Another session of this browser ends: what was planted in it before is worth nothing.
  const earlier = cookies.session(request.headers);
  if (earlier !== undefined) await endOperatorSession(pool, earlier);
  const secret = await beginOperatorSession(pool, answer.principal);
  note(request, 'operator_signed_in', { actor: answer.principal.actor });
  reply.header('set-cookie', [cookies.clearSignIn(), cookies.setSession(secret)]);
  return reply.redirect(underWay?.to ?? home, 303);
}

function note(request: FastifyRequest, event: string, more: object): void {
  const isRefused = event === 'sign_in_refused';
  const line = { category: 'SECURITY', event, ...more };
  if (isRefused) request.log.warn(line, 'a sign-in at the desk was refused');
  else request.log.info(line, 'a session of the desk began or ended');
}

const problems: Readonly<Record<SignInRefusal, Problem>> = {
  issuer: {
    status: 403,
    title: 'Not signed in',
    message: 'The issuer refused the sign-in, or you did. Try again from the first page.',
  },
  forged: {
    status: 403,
    title: 'Not signed in',
    message:
      'This answer does not belong to a sign-in that this browser began within the last ten minutes. Begin again from the first page.',
  },
  token: {
    status: 403,
    title: 'Not signed in',
    message:
      'The issuer gave an access token that the operators’ API does not take: issuer, audience, client or lifetime differ from DORMOUSE_OPERATORS_FILE, or it is no JWT. Whoever runs Dormouse finds the rules in docs/principals.md.',
  },
  role: {
    status: 403,
    title: 'No role',
    message:
      'You are known, and no role is given to you here. Ask whoever runs Dormouse for one (roles in DORMOUSE_OPERATORS_FILE), then sign in again.',
  },
  unavailable: {
    status: 503,
    title: 'Not now',
    message: 'The issuer can not be reached at the moment. Try again later.',
  },
};
