/**
 * The worker's health page, for container engines. They ask from inside the container,
 * so it listens on loopback only.
 */
import Fastify, { type FastifyInstance } from 'fastify';

/** @param port unset: no page. @returns the server, to be closed by the caller */
export async function startHealthServer(port: number | undefined): Promise<FastifyInstance | undefined> {
  if (port === undefined) return undefined;
  const server = Fastify({ logger: false, bodyLimit: 1_024 });
  server.get('/healthz', () => ({ status: 'ok' }));
  await server.listen({ host: '127.0.0.1', port });
  return server;
}
