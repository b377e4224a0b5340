/** The OpenAPI document, from the schemas that also validate requests. */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Side } from '../domain/principals/scopes.js';
import { isServed, scoped } from '../http/access.js';
import { hookKeyHeader } from '../http/presented.js';
import { signatureHeader, timestampHeader, webhookHeaders } from '../signs/http/event-signature.js';

const hookKey = (description: string) =>
  ({ type: 'apiKey', in: 'header', name: hookKeyHeader, description }) as const;

const securitySchemes = {
  serviceToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      "a credential with the route's scope (dormouse credentials create), or one of DORMOUSE_SERVICE_TOKENS",
  },
  kratosHookKey: hookKey('DORMOUSE_KRATOS_HOOK_KEYS'),
  hydraHookKey: hookKey('DORMOUSE_HYDRA_HOOK_KEYS'),
  mailHookKey: hookKey('DORMOUSE_MAIL_HOOK_KEYS'),
  mailHookPassword: {
    type: 'http',
    scheme: 'basic',
    description: 'the password is one of DORMOUSE_MAIL_HOOK_KEYS; any user name',
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: signatureHeader,
    description: 'v1=<hex HMAC-SHA-256 of "<timestamp>.<raw body>">, by DORMOUSE_EVENT_SECRETS',
  },
  timestamp: {
    type: 'apiKey',
    in: 'header',
    name: timestampHeader,
    description: 'epoch seconds, at most 300 s off; part of the signature',
  },
  webhookId: {
    type: 'apiKey',
    in: 'header',
    name: webhookHeaders.id,
    description: 'Standard Webhooks 1.0: part of the signature',
  },
  webhookTimestamp: {
    type: 'apiKey',
    in: 'header',
    name: webhookHeaders.timestamp,
    description: 'Standard Webhooks 1.0: epoch seconds, at most 300 s off; part of the signature',
  },
  webhookSignature: {
    type: 'apiKey',
    in: 'header',
    name: webhookHeaders.signature,
    description: 'Standard Webhooks 1.0: v1,<base64 HMAC-SHA-256 of "<id>.<timestamp>.<raw body>">',
  },
} as const;

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>;

const isContent = (body: unknown): body is { content: Record<string, { schema: z.ZodType }> } =>
  typeof body === 'object' && body !== null && 'content' in body;

/**
 * jsonSchemaTransform supports one schema per body, so a route with several
 * content types is written out here.
 */
const transform: Transform = (route) => {
  const body: unknown = route.schema?.body;
  if (!isContent(body)) return jsonSchemaTransform(route);
  const { body: _several, ...schema } = route.schema;
  const transformed = jsonSchemaTransform({ ...route, schema });
  const content = Object.fromEntries(
    Object.entries(body.content).map(([type, part]) => [
      type,
      { schema: z.toJSONSchema(part.schema, { io: 'input', target: 'draft-2020-12' }) },
    ]),
  );
  return { ...transformed, schema: { ...transformed.schema, body: { content } } };
};

/** Names the scope of a route, and hides it where it is not served. */
function withScope<Route extends Parameters<Transform>[0]>(route: Route, side: Side): Route {
  const { access } = route.route.config ?? {};
  if (access === undefined) return route;
  const { schema } = route;
  const hide = { ...(!isServed(access, side) && { hide: true }) };
  const scope = 'scope' in access ? { 'x-dormouse-scope': access.scope } : {};
  return { ...route, schema: { ...schema, ...hide, ...scope } };
}

/** To be registered before the routes. @param side routes of the other side are left out */
export async function describeRoutes(server: FastifyInstance, side: Side): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dormouse gateway',
        version: '1',
        description: 'Signs of life in, standings out, and what operators decide about one identity.',
      },
      components: { securitySchemes },
    },
    transform: (route) => transform(withScope(route, side)),
  });
}

/** `GET /openapi.json`, behind a scope: the routes are not published to strangers. */
export function openApiRoute(server: FastifyInstance): void {
  server.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      summary: 'This document',
      security: [{ serviceToken: [] }],
      response: { 200: z.looseObject({ openapi: z.string() }) },
    },
    config: scoped('api:read'),
    handler: () => server.swagger(),
  });
}
