/**
 * The security log: one line for each call that is refused, and for each call of an operator, with the principal that made it. No
 * credential, and nothing of a path or a body, is in it.
 */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { scopeRules } from '../domain/principals/scopes.js';
import { findPrincipal, type RefusedCall } from '../http/access.js';

/** Takes refused calls into the audit log, within bounds. */
export interface RefusalAudit {
  /** Returns at once and never throws. */
  note(call: RefusedCall): void;
}

export class SecurityLog {
  constructor(
    private readonly log: FastifyBaseLogger,
    private readonly audit: RefusalAudit | undefined,
  ) {}

  /** To be called before any route is registered. */
  follow(server: FastifyInstance): void {
    server.addHook('onResponse', async (request, reply) => {
      const { access } = request.routeOptions.config;
      const principal = findPrincipal(request);
      if (principal === undefined || access === undefined || !('scope' in access)) return;
      if (scopeRules[access.scope].side !== 'operators' && !principal.actor.startsWith('oidc:')) return;
      this.log.info(
        {
          ...{ category: 'SECURITY', event: 'operator_call', actor: principal.actor, scope: access.scope },
          ...{ method: request.method, route: request.routeOptions.url, status: reply.statusCode },
        },
        'an operator called',
      );
    });
  }

  refused(call: RefusedCall): void {
    const { address: _personal, ...rest } = call;
    this.log.warn({ category: 'SECURITY', event: 'call_refused', ...rest }, 'a call was refused');
    this.audit?.note(call);
  }
}
