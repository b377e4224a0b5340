/**
 * `POST /v1/hooks/kratos/registration`: Kratos asks, before it stores a new identity, whether its identifiers
 * may be registered. Identifiers of deleted accounts may not, for as long as the policy says, so that nobody
 * inherits the account's rights.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { scoped } from '../http/access.js';
import { answers } from '../http/schemas.js';

export interface RegistrationHookOptions {
  readonly keys: readonly string[];
  /** Whether one of them belonged to an account that was deleted too recently. Default: none did. */
  readonly isRetired?: (identifiers: readonly string[]) => Promise<boolean>;
}

/** Exactly what deploy/kratos/dormouse-registration.jsonnet sends. */
const body = z.strictObject({
  identifiers: z.array(z.string().max(320)).max(20).describe('what the person wants to be called'),
});

/**
 * The format in which Kratos takes a hook's objections to a flow (v1.3.1, `web_hook` with `response.parse`).
 */
const refusal = z.object({
  messages: z.array(
    z.object({
      instance_ptr: z.string(),
      messages: z.array(z.object({ id: z.number(), text: z.string(), type: z.literal('error') })),
    }),
  ),
});

/** Dormouse's own number: Kratos' ids of validation errors begin with 4000. */
const messageId = 8_321_001;
const refused: z.infer<typeof refusal> = {
  messages: [
    {
      instance_ptr: '#/',
      messages: [
        {
          id: messageId,
          text: 'This name or address cannot be registered at present. Please contact support.',
          type: 'error',
        },
      ],
    },
  ],
};

const schema = {
  summary: 'Kratos: may this be registered?',
  security: [{ kratosHookKey: [] }],
  body,
  response: {
    ...answers({ 204: z.undefined().describe('It may') }),
    422: refusal.describe('It belonged to a deleted account'),
  },
};

export function kratosRegistrationHook(options: RegistrationHookOptions): FastifyPluginAsync {
  return async (server) => {
    server.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/hooks/kratos/registration',
      schema,
      bodyLimit: 8_192,
      config: scoped('hooks:kratos'),
      // guard: identifiers of deleted accounts are refused
      handler: async ({ body: { identifiers } }, reply) =>
        (await options.isRetired?.(identifiers)) ? reply.code(422).send(refused) : reply.code(204).send(),
    });
  };
}
