/**
 * The operators' desk in a browser (docs/desk.md): pages at the operators' address, for people who signed in by OIDC. Each page and each form
 * declares the same scope as the API's route that does the same, and calls the same function. Pages work without scripts.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { DirectDormouse } from '../client/direct-types.js';
import { findPrincipal, noteRefused } from '../http/access.js';
import { takeForms } from '../http/content.js';
import type { Gate } from '../http/gate.js';
import { systemClock } from '../process/clock.js';
import { deskAccess } from './access.js';
import { breakerPage } from './breaker-page.js';
import type { DeskContext, DeskOptions } from './context.js';
import { cookiesOf } from './cookies.js';
import { isOwnForm } from './csrf.js';
import { problemOf } from './errors.js';
import { identityForms } from './identity-forms.js';
import { identityRoute } from './identity-page.js';
import { overviewRoute } from './overview-page.js';
import { peopleRoute } from './people-page.js';
import { policyPages } from './policies-page.js';
import { policyForms, rolloutForms } from './policy-forms.js';
import { styleHash } from './render.js';
import { reportRoute } from './report-page.js';
import { showProblem } from './show.js';
import { signInRoutes } from './sign-in-pages.js';
import { workForms, workRoute } from './work-page.js';

/** Ten thousand identities are the most that a form holds. Bytes. */
const largestForm = 524_288;

const contentPolicy = [
  "default-src 'none'",
  `style-src '${styleHash}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function desk(dormouse: DirectDormouse, options: DeskOptions, gate: Gate): FastifyPluginAsync {
  const url = new URL(options.url);
  const context: DeskContext = {
    ...options,
    dormouse,
    clock: options.clock ?? systemClock,
    cookies: cookiesOf(url.protocol === 'https:'),
    origin: url.origin,
  };
  return async (server) => {
    takeForms(server, largestForm);
    protect(server, context);
    answerErrors(server, context);
    const access = deskAccess(context, gate);
    signInRoutes(server, context, access, gate);
    overviewRoute(server, context, access);
    peopleRoute(server, context, access);
    workRoute(server, context, access);
    identityRoute(server, context, access);
    identityForms(server, context, access);
    breakerPage(server, context, access);
    policyPages(server, context, access);
    const { identities, rollouts } = context;
    if (identities !== undefined) policyForms(server, { ...context, identities }, access);
    if (rollouts !== undefined) {
      rolloutForms(server, { ...context, rollouts }, access);
      workForms(server, { ...context, rollouts }, access);
    }
    reportRoute(server, context, access);
  };
}

function protect(server: FastifyInstance, context: DeskContext): void {
  // Before the form is looked at: what somebody else's page sent is not even checked.
  server.addHook('preValidation', async (request, reply) => {
    // guard: desk: forms are checked at all
    if (request.method !== 'POST' || findPrincipal(request) === undefined) return;
    const secret = context.cookies.session(request.headers);
    if (isOwnForm(request.headers, request.body, { origin: context.origin, secret })) return;
    noteRefused(request, 'origin');
    await showProblem(context, request, reply, {
      status: 403,
      title: 'Not sent by this desk',
      message:
        'The form does not come from a page of your session, so nothing was done. Open the page again and send it once more.',
    });
  });
  // Not by `@fastify/helmet`: these pages need a few headers, with a policy of their own.
  server.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', contentPolicy);
    reply.headers({
      // Without a referrer a browser does not say which origin a form comes from, either.
      'referrer-policy': 'same-origin',
      'x-robots-tag': 'noindex, nofollow',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
}

function answerErrors(server: FastifyInstance, context: DeskContext): void {
  server.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) request.log.error({ err: error }, 'a page of the desk failed');
    if (problem.status === 503) reply.header('retry-after', '5');
    return showProblem(context, request, reply, problem);
  });
}
