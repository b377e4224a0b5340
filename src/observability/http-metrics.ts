/** How the gateway answers: by route as it is registered, never by the address that was asked for, which a caller chooses. */
import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

const name = 'dormouse_http_request_duration_seconds';

/** To be called before routes are registered. Several listeners may count into one registry. */
export function watchRequests(server: FastifyInstance, registry: Registry): void {
  const durations = durationsIn(registry);
  server.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: methods.includes(request.method) ? request.method : 'other',
      route: request.routeOptions.url ?? 'none',
      status: `${Math.floor(reply.statusCode / 100)}xx`,
    };
    durations.observe(labels, reply.elapsedTime / 1_000);
  });
}

function durationsIn(registry: Registry): Histogram<'method' | 'route' | 'status'> {
  const known = registry.getSingleMetric(name);
  if (known instanceof Histogram) return known;
  return new Histogram({
    name,
    help: 'How long the gateway took to answer, by route and class of status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
}
