/** The routes that operators and their command line call, beside those of the client (docs/command-line.md). */
import type { IdentityApi } from '@ory/client';
import type { Client } from '@temporalio/client';
import type { FastifyPluginAsync } from 'fastify';
import type pg from 'pg';
import { missingRoutes } from '../absence/routes.js';
import { monthRoutes } from '../audit/month-routes.js';
import { auditRoutes } from '../audit/routes.js';
import { exemptionsRoute } from '../exemptions/routes.js';
import { mailProofRoutes } from '../mail/http/proof-routes.js';
import { policyRoutes } from '../policies/routes.js';
import type { PeopleDependencies } from '../preview/people.js';
import { previewRoutes } from '../preview/routes.js';
import type { OperatorsIssuer } from '../principals/operators-file.js';
import { credentialRoutes, meRoutes } from '../principals/routes.js';
import { rolloutRoutes } from '../rollout/routes.js';
import { outboxRoutes } from '../security-events/operators-routes.js';
import { simulationRoutes } from '../simulation/routes.js';
import { findRoutes } from '../standings/find-routes.js';
import { parkedRoutes } from '../standings/parked-routes.js';
import { personalTokenRoutes } from '../tokens/personal/routes.js';

export interface Operations {
  /** Dormouse's database, whose statements may take as long as a report needs. */
  readonly pool: pg.Pool;
  readonly temporal: Client;
  /** Of the workflows. */
  readonly taskQueue: string;
  /** The policy that identities follow unless told otherwise. */
  readonly policyId: string;
  readonly unverified: NonNullable<PeopleDependencies['unverified']>;
  /** Kratos, to find identities by address and to preview policies. Absent: those routes are not there. */
  readonly identities?: IdentityApi;
  /** Where operators sign in. */
  readonly issuers: readonly OperatorsIssuer[];
}

export function operatorsRoutes(operations: Operations): FastifyPluginAsync {
  const { pool, temporal, taskQueue, policyId, unverified, identities, issuers } = operations;
  return async (server) => {
    await server.register(meRoutes(issuers));
    await server.register(credentialRoutes(pool));
    await server.register(auditRoutes(pool));
    await server.register(monthRoutes(pool));
    await server.register(mailProofRoutes(pool));
    await server.register(outboxRoutes(pool));
    await server.register(exemptionsRoute(pool));
    await server.register(parkedRoutes(pool, temporal));
    await server.register(missingRoutes(pool, temporal));
    await server.register(personalTokenRoutes(pool, policyId));
    await server.register(rolloutRoutes(pool, { client: temporal, taskQueue }));
    if (identities === undefined) return;
    const people = { pool, identities, unverified };
    await server.register(findRoutes(identities));
    await server.register(policyRoutes(people, policyId));
    await server.register(previewRoutes(people));
    await server.register(simulationRoutes(people));
  };
}
