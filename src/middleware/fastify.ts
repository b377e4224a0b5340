/** The middleware as a Fastify plugin. */
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { ActivityCounters, ActivityOptions } from './options.js';
import { createSignObserver } from './sign-observer.js';

export { VerificationUnavailableError } from './errors.js';
export type { ActivityCounters, ActivityOptions, VerifiedIdentity } from './options.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by the plugin `dormouseActivity`. */
    dormouseActivity: { counters(): ActivityCounters };
  }
}

const plugin: FastifyPluginCallback<ActivityOptions<FastifyRequest>> = (fastify, options, done) => {
  const observer = createSignObserver(options);
  fastify.decorate('dormouseActivity', { counters: () => observer.counters() });
  fastify.addHook('onResponse', (request, reply, next) => {
    // An aborted response has status 200 even before anybody was authenticated.
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
 * Notes a sign of life of the identity behind each successful request, for all routes beside and below
 * the place where it is registered. It never delays or fails the request. See {@link ActivityOptions}
 * for how requests are verified.
 *
 * @throws TypeError at registration when the options name no way to verify
 *
 * @example
 * ```ts
 * await app.register(dormouseActivity, { dormouse, kratos: { publicUrl: 'https://auth.example' } });
 * app.dormouseActivity.counters(); // { noted: 12, ... }
 * ```
 */
export const dormouseActivity = fastifyPlugin(plugin, { fastify: '5.x', name: 'dormouse-activity' });
