/** The stage that apps see in whoami: `metadata_public.dormouse`. */
import type { IdentityApi, JsonPatch } from '@ory/client';
import { z } from 'zod';
import { type Stage, stages } from '../domain/rungs.js';
import { type KratosIdentity, readIdentity } from '../ory/kratos-identity.js';
import { isUnfit, patchIdentity } from '../ory/patch-identity.js';

export interface StageToPublish {
  readonly identityId: string;
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly since: number;
}

/**
 * Writes the stage. Best effort by design: an identity that no longer fits its schema can't be written, but must not
 * escape the ladder because of that.
 */
export async function publishStage(
  { identities }: { readonly identities: IdentityApi },
  input: StageToPublish,
): Promise<'published' | 'refused'> {
  const identity = await readIdentity(identities, input.identityId);
  if (identity === undefined) return 'published';
  const value = { stage: input.stage, since: new Date(input.since).toISOString() };
  const known = publishedStage(identity);
  if (known?.stage === value.stage && known.since === value.since) return 'published';
  const operation: JsonPatch =
    identity.metadata_public === null || identity.metadata_public === undefined
      ? { op: 'add', path: '/metadata_public', value: { dormouse: value } }
      : { op: 'add', path: '/metadata_public/dormouse', value };
  try {
    await patchIdentity(identities, input.identityId, [operation]);
    return 'published';
  } catch (error) {
    if (isUnfit(error)) return 'refused';
    throw error;
  }
}

const publishedSchema = z.object({ dormouse: z.object({ stage: z.enum(stages), since: z.string() }) });

/** What whoami shows apps about the identity at present. */
export function publishedStage(
  identity: KratosIdentity,
): z.infer<typeof publishedSchema>['dormouse'] | undefined {
  return publishedSchema.safeParse(identity.metadata_public).data?.dormouse;
}
