/** The middleware as a Fastify plugin. */
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { createActivityObserver } from './activity-observer.js';
import type { ActivityCounters, ActivityOptions } from './options.js';

export { VerificationUnavailableError } from './errors.js';
export type { ActivityCounters, ActivityOptions, VerifiedIdentity } from './options.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `dormouseActivity`. */
    dormouseActivity: { counters(): ActivityCounters };
  }
}

const plugin: FastifyPluginCallback<ActivityOptions<FastifyRequest>> = (fastify, options, done) => {
  const observer = createActivityObserver(options);
  fastify.decorate('dormouseActivity', { counters: () => observer.counters() });
  fastify.addHook('onResponse', (request, reply, next) => {
    // An answer that was broken off has status 200 even where nobody was authenticated yet.
    if (reply.raw.writableFinished) {
      observer.observe({
        request,
        headers: request.headers,
        status: reply.statusCode,
        at: Date.now() - reply.elapsedTime,
      });
    }
    next();
  });
  done();
};

/**
 * Notes activity of whoever made a request that succeeded, for all routes beside and below the place where it is
 * registered. The request is never delayed or failed by it; see {@link ActivityOptions} for how requests are verified.
 *
 * @throws TypeError at registration when the options do not say how to verify
 *
 * @example
 * ```ts
 * await app.register(dormouseActivity, { dormouse, kratos: { publicUrl: 'https://auth.example' } });
 * app.dormouseActivity.counters(); // { noted: 12, ... }
 * ```
 */
export const dormouseActivity = fastifyPlugin(plugin, { fastify: '5.x', name: 'dormouse-activity' });
