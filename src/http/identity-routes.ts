/** `/v1/identities/:id/…`: standing for apps, and what operators decide about one identity. */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Dormouse, NotEnrolledError } from '../client.js';

const time = z.iso.datetime({ offset: true, error: 'must be a time as 2026-01-31T00:00:00Z' });
const request = z.strictObject({ actor: z.string(), requestId: z.string().max(100).optional() });
const reasoned = request.extend({ reason: z.string() });

const bodies = {
  enrol: z.strictObject({ lastActiveAt: time.optional(), policyId: z.string().optional() }),
  hold: reasoned.extend({ until: time }),
  release: reasoned,
  reactivate: reasoned,
  'apply-policy': request.extend({ policyId: z.string(), version: z.int().min(1).optional() }),
  'retry-parked': request,
};

const idOf = (incoming: FastifyRequest): string => z.object({ id: z.string() }).parse(incoming.params).id;

/** Drops absent fields, as `exactOptionalPropertyTypes` wants them. */
function compact<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}

export function identityRoutes(dormouse: Dormouse): FastifyPluginAsync {
  return async (server) => {
    const base = '/v1/identities/:id';
    server.get(`${base}/standing`, async (incoming) => {
      const standing = await dormouse.standing(idOf(incoming));
      if (standing === undefined) throw new NotEnrolledError();
      return standing;
    });
    server.post(`${base}/enrol`, async (incoming, reply) => {
      const { lastActiveAt, ...rest } = compact(bodies.enrol.parse(incoming.body ?? {}));
      const at = lastActiveAt === undefined ? {} : { lastActiveAt: Date.parse(lastActiveAt) };
      const started = await dormouse.enrol(idOf(incoming), { ...rest, ...at });
      return reply.code(started ? 201 : 200).send({ started });
    });
    server.post(`${base}/hold`, (incoming) => {
      const { until, ...rest } = compact(bodies.hold.parse(incoming.body));
      return dormouse.hold(idOf(incoming), { ...rest, until: Date.parse(until) });
    });
    server.post(`${base}/release`, (incoming) =>
      dormouse.release(idOf(incoming), compact(bodies.release.parse(incoming.body))),
    );
    server.post(`${base}/reactivate`, (incoming) =>
      dormouse.reactivate(idOf(incoming), compact(bodies.reactivate.parse(incoming.body))),
    );
    server.post(`${base}/apply-policy`, (incoming) =>
      dormouse.applyPolicy(idOf(incoming), compact(bodies['apply-policy'].parse(incoming.body))),
    );
    server.post(`${base}/retry-parked`, (incoming) =>
      dormouse.retryParked(idOf(incoming), compact(bodies['retry-parked'].parse(incoming.body))),
    );
  };
}
