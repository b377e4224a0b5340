/**
 * Dry runs: `?dryRun=true` at a route that changes something asks whether the change would be taken. Credential, scope and form are checked
 * as for the change itself. A route that declares no dry run refuses the question, so that nothing is carried out that was only asked.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RouteScope } from '../domain/principals/scopes.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { findPrincipal } from './access.js';
import { actorHeader } from './actor.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What a dry run does. `form`: it ends before the handler, once the request is found sound. `own`: the handler finds out more, by
     * {@link isDryRun}, and changes nothing. Absent: the route has none.
     */
    dryRun?: 'form' | 'own';
  }
}

/** The declaration of a route that changes something, for its `config`. */
export const change = (scope: RouteScope, dryRun: 'form' | 'own' = 'form') =>
  ({ access: { scope }, dryRun }) as const;

const parameter = z
  .enum(['true', 'false'])
  .default('false')
  .describe('true: says whether the change would be taken, and changes nothing');

/** Whether the caller only asks. */
export function isDryRun(request: FastifyRequest): boolean {
  return (request.query as { dryRun?: unknown }).dryRun === 'true';
}

/** To be called after the routes' guard, and before any route is registered. */
export function takeDryRuns(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    const dryRun = route.config?.dryRun;
    if (dryRun === undefined) return;
    const { querystring, response } = (route.schema ?? {}) as {
      querystring?: z.ZodObject;
      response?: object;
    };
    route.schema = {
      ...route.schema,
      querystring: querystring?.extend({ dryRun: parameter }) ?? z.strictObject({ dryRun: parameter }),
      ...(dryRun === 'form' && {
        response: { ...response, 204: z.undefined().describe('A dry run: the request is sound') },
      }),
    };
    if (dryRun === 'own') return;
    const carryOut = route.handler;
    // In place of the handler, so that every check before it is made.
    route.handler = function (request, reply) {
      // guard: command line: a dry run changes nothing
      return isDryRun(request) ? answerSound(request, reply) : carryOut.call(this, request, reply);
    };
  });
  server.addHook('preHandler', async (request) => {
    if (request.is404 || request.routeOptions.config.dryRun !== undefined) return;
    refuseQuestion(request);
  });
}

function refuseQuestion(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  if (!Object.hasOwn((request.query as object | undefined) ?? {}, 'dryRun')) return;
  throw new InvalidRequestError('dryRun: this route has no dry run. Nothing was changed. Leave it out');
}

function answerSound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const actor = findPrincipal(request)?.actor;
  if (actor !== undefined) reply.header(actorHeader, actor);
  return reply.code(204).send();
}
