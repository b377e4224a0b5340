/**
 * Spans of the gateway's requests, by route as it is registered: an address may name a person, or hold a token.
 *
 * A request continues its caller's trace only after the caller was identified by a credential. A stranger on a public page, or an event
 * whose signature is not checked yet, neither chooses a trace nor whether it is sampled. A refused call has no span: the security log has it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type TraceContext, traceContextOf } from '../domain/trace-context.js';
import { findPrincipal } from '../http/access.js';
import { type Span, tracing } from '../process/tracing.js';

const spans = new WeakMap<FastifyRequest, Span>();

/** To be called after {@link guardRoutes}, before routes are registered. */
export function traceRequests(server: FastifyInstance): void {
  if (tracing() === undefined) return;
  server.addHook('onRequest', async (request, reply) => {
    const tracer = tracing();
    if (tracer === undefined || request.is404) return;
    const route = request.routeOptions.url ?? 'none';
    const span = tracer.open({
      name: `${request.method} ${route}`,
      kind: 'server',
      attributes: { 'http.request.method': request.method, 'http.route': route },
      // guard: traces: a stranger continues no trace
      parent: findPrincipal(request) === undefined ? 'none' : (presented(request) ?? 'none'),
      startedAt: Date.now() - reply.elapsedTime,
    });
    spans.set(request, span);
  });
  // Not earlier: reading the body leaves the context of whoever began to.
  server.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.within(() => done());
  });
  server.addHook('onResponse', async (request, reply) => {
    const span = spans.get(request);
    if (span === undefined) return;
    span.set({ 'http.response.status_code': reply.statusCode });
    if (reply.statusCode >= 500) span.fail(String(reply.statusCode));
    span.end();
  });
}

/** Of several, the last: the caller's HTTP library adds its own, which is closer to the request. */
function presented({ headers }: FastifyRequest): TraceContext | undefined {
  const traceparent = String(headers.traceparent ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  return traceContextOf({ traceparent, tracestate: headers.tracestate });
}
