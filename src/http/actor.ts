/** The actor of a deed: the credential that was shown, never a field of the body. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { principalOf } from './access.js';

export const actorHeader = 'x-dormouse-actor';

/** @returns the name for the audit log, which the answer's header names too. @throws Error where nobody was identified */
export function namedActor(request: FastifyRequest, reply: FastifyReply): string {
  const { actor } = principalOf(request);
  reply.header(actorHeader, actor);
  return actor;
}
