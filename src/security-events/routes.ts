/**
 * What receivers of security events look up: the keys, and the transmitter's metadata (SSF 1.0, section 7).
 * Without authentication, because it is public by design and the same for all callers. Registered only where
 * Shared Signals are configured.
 */
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { open } from '../http/access.js';
import type { Gate } from '../http/gate.js';
import { publicJwk } from '../keys/signing-keys.js';
import type { EventPublication } from './load.js';

const jwksPath = '/.well-known/jwks.json';

export function securityEventRoutes({ streams, keys }: EventPublication, gate: Gate): FastifyPluginAsync {
  const jwks = { keys: keys.map(publicJwk) };
  const metadata = {
    spec_version: '1_0',
    issuer: streams.issuer,
    jwks_uri: `${streams.issuer}${jwksPath}`,
    delivery_methods_supported: ['urn:ietf:rfc:8935'],
    // Operators set up streams, for all accounts.
    default_subjects: 'ALL',
  };
  return async (server) => {
    server.addHook('onRequest', gate.guardOpen);
    server.route({
      method: 'GET',
      url: jwksPath,
      config: open('public keys'),
      schema: {
        summary: 'Public keys that security events are signed with',
        response: { 200: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) }) },
      },
      handler: () => jwks,
    });
    server.route({
      method: 'GET',
      url: '/.well-known/ssf-configuration',
      config: open('public metadata'),
      schema: {
        summary: 'Metadata of the transmitter of security events (Shared Signals Framework 1.0)',
        response: { 200: z.looseObject({ issuer: z.string(), jwks_uri: z.string() }) },
      },
      handler: () => metadata,
    });
  };
}
