/** `POST /v1/identities/find`: an identity by its e-mail address, for those who may read addresses. */
import type { IdentityApi } from '@ory/client';
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { scoped } from '../http/access.js';
import { oneLine } from '../http/free-text.js';
import { answers } from '../http/schemas.js';
import { callOry } from '../ory/call.js';
import { DormouseUnavailableError } from '../process/caller-errors.js';

const found = z.array(z.looseObject({ id: z.guid() }));

/** By a body and not a query: the address must not get into the logs of proxies. */
export function findRoutes(identities: IdentityApi): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().post(
      '/v1/identities/find',
      {
        config: scoped('addresses:read'),
        schema: {
          summary: 'The identities that have an address as a credential in Kratos: none, one, or more',
          security: [{ serviceToken: [] }],
          body: z.strictObject({ address: oneLine(320).trim().min(3) }),
          response: answers({ 200: z.object({ identityIds: z.array(z.string()) }) }),
        },
      },
      async ({ body: { address } }) => ({ identityIds: await findByAddress(identities, address) }),
    );
  };
}

/** @returns the ids, each once. @throws DormouseUnavailableError; its cause may hold the address and is left out */
export async function findByAddress(identities: IdentityApi, address: string): Promise<string[]> {
  try {
    const answer = await callOry<unknown>('Kratos', 'listIdentities', () =>
      identities.listIdentities({ credentialsIdentifier: address }),
    );
    return [...new Set(found.parse(answer ?? []).map(({ id }) => id))];
  } catch {
    throw new DormouseUnavailableError('Kratos');
  }
}
