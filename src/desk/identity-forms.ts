/** The decisions about one identity: the functions of the API's routes (src/standings/routes.ts), under the same scopes. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { exemptionKinds } from '../domain/exemption.js';
import { type Given, given } from '../domain/given.js';
import { isIdentityId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { holdKinds } from '../domain/lifecycle/holds.js';
import { highestVersion, policyIdPattern } from '../domain/names.js';
import type { RouteScope } from '../domain/principals/scopes.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import type { DeskContext } from './context.js';
import type { Done } from './done.js';

const params = z.object({ id: z.string().refine(isIdentityId, 'is not the UUID of an identity') });
/** A form sends every field, also an empty one. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
/** The end of a day in UTC, epoch milliseconds. */
const endOfDay = z.iso
  .date('is no date, as 2026-12-31')
  .transform((day) => Date.parse(`${day}T23:59:59.999Z`));
const requestId = z.string().max(100).optional();
const reason = z.string();
const decided = z.object({ requestId });
const reasoned = decided.extend({ reason });

export function identityForms(plain: FastifyInstance, context: DeskContext, access: PageAccess): void {
  const { dormouse } = context;
  const form = formsOf(plain, access);

  form(
    'hold',
    'holds:place',
    reasoned.extend({ until: endOfDay, kind: z.enum(holdKinds) }),
    'held',
    (id, body) => dormouse.hold(id, body),
  );
  form(
    'release',
    'holds:place',
    // The kind is what the person saw: a legal hold ends only where the form says so.
    reasoned.extend({ holdId: z.string().max(20), kind: optional(z.enum(holdKinds)) }),
    'released',
    (id, body) => dormouse.release(id, body),
  );
  form('reactivate', 'identities:operate', reasoned, 'reactivated', (id, body) =>
    dormouse.reactivate(id, body),
  );
  form('retry-parked', 'identities:operate', decided, 'retried', (id, body) =>
    dormouse.retryParked(id, body),
  );
  form('skip-parked', 'identities:operate', reasoned, 'skipped', (id, body) => dormouse.skipParked(id, body));
  form(
    'apply-policy',
    'identities:operate',
    decided.extend({
      policyId: z.string().regex(policyIdPattern, 'is not the id of a policy'),
      version: optional(z.coerce.number().pipe(z.int().min(1).max(highestVersion))),
    }),
    'applied',
    (id, body) => dormouse.applyPolicy(id, body),
  );
  form('look-again', 'identities:enrol', z.object({}), 'told', (id) => dormouse.lookAgain(id));
  const exemption = z.object({ reason, reviewAt: endOfDay });
  form(
    'exempt',
    'exemptions:decide',
    exemption.extend({ kind: z.enum(exemptionKinds), owner: z.string() }),
    'exempted',
    (id, body) => dormouse.exempt(id, body),
  );
  form(
    'review-exemption',
    'exemptions:decide',
    exemption.extend({ owner: optional(z.string()) }),
    'reviewed',
    (id, body) => dormouse.reviewExemption(id, body),
  );
  form('end-exemption', 'exemptions:decide', z.object({ reason }), 'ended', (id, body) =>
    dormouse.endExemption(id, body),
  );
}

function formsOf(plain: FastifyInstance, access: PageAccess) {
  return <Values extends object>(
    name: string,
    scope: RouteScope,
    body: z.ZodType<Values>,
    done: Done,
    decide: (id: string, values: Given<Values> & { readonly actor: string }) => Promise<unknown>,
  ): void => {
    plain.post(
      `/desk/identities/:id/${name}`,
      { config: scopedPage(scope, access), schema: { hide: true } },
      async (request, reply) => {
        const { id } = params.parse(request.params);
        const values = given(body.parse(request.body));
        await decide(id, { ...values, actor: namedActor(request, reply) });
        return reply.redirect(`${identityUrl(id)}?done=${done}`, 303);
      },
    );
  };
}
