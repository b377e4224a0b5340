/**
 * A workflow of Keycloak (26.4 and later) as its admin console exports it. Pure. Only what carries over to a policy is named;
 * Keycloak's documentation, "Managing workflows", has the form.
 */
import { z } from 'zod';
import { dayMs } from '../../domain/duration.js';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: dayMs };
const simple = /^(\d{1,9})\s*(ms|s|m|h|d)?$/i;
const iso = /^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/i;

/** @returns milliseconds; Keycloak takes a number without a unit for seconds. `undefined` when the text is no duration */
export function keycloakDuration(text: string): number | undefined {
  const [, count, unit = 's'] = simple.exec(text.trim()) ?? [];
  if (count !== undefined) return Number(count) * (unitMs[unit.toLowerCase()] ?? 1);
  const parts = iso.exec(text.trim())?.slice(1);
  if (parts?.some((part) => part !== undefined) !== true) return undefined;
  const sizes = [dayMs, 3_600_000, 60_000, 1_000];
  return sizes.reduce((sum, size, index) => sum + Number(parts[index] ?? 0) * size, 0);
}

const duration = z
  .union([z.string(), z.int().nonnegative()], { error: 'is not a duration. Write it as Keycloak does: 30d' })
  .transform((value, context) => {
    const milliseconds = keycloakDuration(String(value));
    if (milliseconds !== undefined) return milliseconds;
    context.addIssue({
      code: 'custom',
      message: 'is not a duration. Write it as Keycloak does: a number and ms, s, m, h or d',
    });
    return z.NEVER;
  });

const expression = z.string({ error: 'is not a text. Write an expression as Keycloak does' }).max(2_000);

const step = z.looseObject({
  uses: z.string({ error: 'is missing. A step says what it does: uses: disable-user' }).min(1).max(100),
  after: duration.default(0),
  with: z.record(z.string(), z.unknown()).default({}),
});

const flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })], {
  error: 'is neither true nor false',
});

export const keycloakWorkflow = z.looseObject({
  name: z.string({ error: 'is missing. A workflow of Keycloak has a name' }).min(1).max(255),
  enabled: flag.default(true),
  on: expression.optional(),
  if: expression.optional(),
  concurrency: z
    .looseObject({
      /** Keycloak 26.6 also takes a text: the events that begin the workflow anew. */
      'restart-in-progress': z.union([flag, expression]).optional(),
    })
    .default({}),
  schedule: z.unknown().optional(),
  steps: z
    .array(step, { error: 'is missing. A workflow of Keycloak has a list of steps' })
    .min(1, 'is empty. There is nothing to carry over')
    .max(200),
});

export type KeycloakWorkflow = z.infer<typeof keycloakWorkflow>;
export type KeycloakStep = KeycloakWorkflow['steps'][number];

/** A file has one workflow, or a list of them. Which of the two is meant decides what an error says. */
export const keycloakFile = z.unknown().transform((value, context): KeycloakWorkflow[] => {
  const parsed = (Array.isArray(value) ? z.array(keycloakWorkflow) : keycloakWorkflow).safeParse(value);
  if (parsed.success) return [parsed.data].flat();
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});
