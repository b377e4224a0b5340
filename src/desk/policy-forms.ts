/** Preview and publication of a policy, and the steering of its roll-out: the functions of the command line. */
import type { IdentityApi } from '@ory/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { given } from '../domain/given.js';
import { highestVersion } from '../domain/names.js';
import { type PageAccess, scopedPage } from '../http/access.js';
import { namedActor } from '../http/actor.js';
import { checkedReason } from '../http/reason.js';
import { PolicyFileError } from '../policies/yaml.js';
import { preparePublication } from '../preview/publishing.js';
import { pauseRollout, resumeLatestRollout, takeBackRollout } from '../rollout/decisions.js';
import type { RolloutPlaceOfWork } from '../rollout/start.js';
import type { DecidedRollout } from '../workflows/rollout-messages.js';
import type { DeskContext } from './context.js';
import type { Done } from './done.js';
import { policyParams, policyUrl } from './policies-page.js';
import { policyTextOf } from './policy-text.js';
import { previewPageView, previewPolicy } from './preview-view.js';
import { may, show } from './show.js';

/** A policy's text, as a form sends it: its line ends are those of no system. */
const text = z
  .string()
  .min(1, 'is empty')
  .max(100_000, 'is longer than 100,000 characters')
  .transform((typed) => typed.replace(/\r\n?/g, '\n'));
const publication = z.object({
  ...{ text, reason: z.string() },
  preview: z.string().regex(/^[0-9a-f]{64}$/, 'is not the hash of a preview'),
});
/** By how much a number of the preview's answer may have changed since. Percent; the command line's default. */
const toleratedPercent = 1;
const back = z.object({
  reason: z.string(),
  to: z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce.number().pipe(z.int().min(1).max(highestVersion)).optional(),
  ),
});

export function policyForms(
  plain: FastifyInstance,
  context: DeskContext & { readonly identities: IdentityApi },
  access: PageAccess,
): void {
  const server = plain.withTypeProvider<ZodTypeProvider>();
  // A preview decides nothing: it takes the scope of the API's route.
  const previewing = scopedPage('policy:read', access);
  const publishing = scopedPage('policy:publish', access);
  const sources = {
    pool: context.pool,
    identities: context.identities,
    ...given({ unverified: context.unverified }),
  };
  server.get(
    '/desk/preview',
    {
      config: previewing,
      schema: { hide: true, querystring: z.object({ of: z.string().max(60).optional() }) },
    },
    async (request, reply) => {
      const typed = await policyTextOf(context.pool, request.query.of);
      const view = { text: typed, message: '' };
      return show(context, request, reply, 'preview', { title: 'Preview a policy', view });
    },
  );
  server.post(
    '/desk/preview',
    { config: previewing, schema: { hide: true, body: z.object({ text }) } },
    async (request, reply) => {
      const { text: typed } = request.body;
      const made = await previewPolicy(sources, typed).catch((error: unknown) => {
        // Whoever wrote a long text keeps it.
        if (error instanceof PolicyFileError) return error;
        throw error;
      });
      if (made instanceof Error) {
        const view = { text: typed, message: made.message };
        return show(context, request, reply, 'preview', { title: 'Preview a policy', status: 400, view });
      }
      const view = {
        ...(await previewPageView(context, made)),
        mayPublish: may(request, 'policy:publish'),
      };
      reply.header('content-security-policy', made.contentPolicy);
      return show(context, request, reply, 'previewed', {
        title: `Preview for ${made.preview.policyId}`,
        view,
      });
    },
  );
  server.post(
    '/desk/publish',
    { config: publishing, schema: { hide: true, body: publication } },
    async (request, reply) => {
      const { text: source, preview, reason } = request.body;
      const publish = await preparePublication(sources, {
        ...{ text: source, file: 'text', preview, toleratedPercent, now: Date.now() },
        ...{ actor: namedActor(request, reply), reason: checkedReason(reason) },
      });
      const { reference } = await publish();
      return reply.redirect(`${policyUrl(reference.id)}?done=published`, 303);
    },
  );
}

/** Pause, resume and back. */
export function rolloutForms(
  plain: FastifyInstance,
  { pool, rollouts }: DeskContext & { readonly rollouts: RolloutPlaceOfWork },
  access: PageAccess,
): void {
  const place = { ...rollouts, pool };
  const form = (
    name: string,
    done: Done,
    decide: (policyId: string, decision: DecidedRollout, to: number | undefined) => Promise<unknown>,
  ) =>
    plain.post(
      `/desk/policies/:id/rollout/${name}`,
      { config: scopedPage('policy:publish', access), schema: { hide: true } },
      async (request, reply) => {
        const { id } = policyParams.parse(request.params);
        const { reason, to } = back.parse(request.body);
        const actor = namedActor(request, reply);
        await decide(id, { schemaVersion: 1, actor, reason: checkedReason(reason) }, to);
        return reply.redirect(`${policyUrl(id)}?done=${done}`, 303);
      },
    );
  form('pause', 'paused', (id, decision) => pauseRollout(place, id, decision));
  form('resume', 'resumed', (id, decision) => resumeLatestRollout(place, id, decision));
  form('back', 'back', (id, decision, to) => takeBackRollout(place, id, { ...decision, ...given({ to }) }));
}
