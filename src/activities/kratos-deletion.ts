/**
 * Activities on Kratos that end an identity: delete it, or leave an empty shell.
 * Each may run again at any time.
 */
import { randomBytes } from 'node:crypto';
import { DeleteIdentityCredentialsTypeEnum, type IdentityApi } from '@ory/client';
import { controlAbsence } from '../absence/control.js';
import { forgetDeletionIntent, intendDeletion, isDeletionIntended } from '../deletion/intents-table.js';
import { retireIdentifiers } from '../deletion/retired-identifiers-table.js';
import { anonymousTraits } from '../domain/deletion.js';
import type { TraitsTemplate } from '../domain/policy/deletion.js';
import type { IdentifierKey } from '../keys/identifier-hash.js';
import {
  type ActOutcome,
  assertFresh,
  type LastLook,
  type LookDependencies,
  stopOf,
  stopped,
} from '../looks/last-look.js';
import { callOry, isRefusedAsUnfit } from '../ory/call.js';
import { identifiersOf, type KratosIdentity, readIdentity, readSessions } from '../ory/kratos-identity.js';
import { giveUp, tryAgain } from '../process/step-error.js';

export interface DeletionDependencies extends LookDependencies {
  /** Absent: nothing is deleted under a policy that remembers identifiers. */
  readonly identifierKey?: IdentifierKey;
}

export interface DeletionRequest extends LastLook {
  /** How long its identifiers can't be registered again. Milliseconds. */
  readonly refuseIdentifiersForMs?: number;
}

export function createKratosDeletionActivities(deps: DeletionDependencies) {
  const { identities, pool } = deps;
  return {
    /**
     * Deletes the identity after a last look. The outcome is deleted where this look, or that of an earlier
     * attempt which got as far as the deletion, found the identity, and it is now absent by the same control
     * as any absence. Otherwise the outcome is gone: somebody else deleted it, or another Kratos answers.
     * One call lies between the look and Kratos' delete. A person who signs in within it gets no session,
     * because the account is deactivated by then.
     * @throws IdentifierKeyMissing (not retried) where the policy remembers
     * identifiers and there is no key for it
     */
    async deleteIdentity(request: DeletionRequest): Promise<ActOutcome> {
      const { identityId } = request;
      const lookedAt = await deps.clock.now();
      const identity = await readIdentity(identities, identityId);
      if (identity === undefined) {
        const isOurs = await isDeletionIntended(pool, identityId, request.inactiveSince);
        // guard: deletion: only an identity that was there is deleted
        return isOurs ? deletedFor(deps, identityId) : stopped(deps, request, { outcome: 'gone' });
      }
      await forgetDeletionIntent(pool, identityId);
      const stop = await stopOf(deps, request, identity);
      if (stop !== undefined) return stopped(deps, request, stop);
      await retire(deps, request, identity);
      await assertFresh(deps.clock, lookedAt);
      await intendDeletion(pool, identityId, request.inactiveSince, await deps.clock.now());
      await callOry('Kratos', 'deleteIdentity', () => identities.deleteIdentity({ id: identityId }));
      // guard: a deletion is read back
      if ((await readIdentity(identities, identityId)) !== undefined) {
        throw tryAgain('StateNotTaken', 'the identity is still there after its deletion');
      }
      return deletedFor(deps, identityId);
    },

    /**
     * Empties the identity after a last look: the policy's traits in place of the person's, no
     * metadata, no credential that anybody knows, disabled for good. Reads it back afterwards:
     * nothing of the person may be left.
     * @throws AnonymousTraitsDoNotFit (not retried) where Kratos refuses the policy's traits
     * @throws IdentifierKeyMissing (not retried), as above
     */
    async anonymiseIdentity(
      request: DeletionRequest & { readonly anonymousTraits?: TraitsTemplate },
    ): Promise<ActOutcome> {
      const { identityId } = request;
      const lookedAt = await deps.clock.now();
      const identity = await readIdentity(identities, identityId);
      if (identity === undefined) return stopped(deps, request, { outcome: 'gone' });
      const traits = anonymousTraits(request.anonymousTraits ?? {}, identityId);
      if (!isShell(identity, traits)) {
        const stop = await stopOf(deps, request, identity);
        if (stop !== undefined) return stopped(deps, request, stop);
        await retire(deps, request, identity);
        await assertFresh(deps.clock, lookedAt);
        await empty(identities, identity, traits);
      }
      // guard: anonymising takes the credentials away
      await removeCredentials(identities, identityId);
      await callOry('Kratos', 'deleteIdentitySessions', () =>
        identities.deleteIdentitySessions({ id: identityId }),
      );
      await verifyShell(identities, identityId, traits);
      return { outcome: 'done' };
    },
  };
}

/**
 * The identity was there, Kratos was told to delete it, and it is absent now.
 * @throws AbsenceDoubtful where others are missing too: another Kratos may be answering, and the
 * identity may be alive in the right one
 */
async function deletedFor(deps: DeletionDependencies, identityId: string): Promise<ActOutcome> {
  const { control, why } = await controlAbsence(deps, identityId);
  // guard: deletion: an absence is believed by a control only
  if (control === 'doubted') throw tryAgain('AbsenceDoubtful', why ?? 'others are missing, too');
  return { outcome: 'done' };
}

export type KratosDeletionActivities = ReturnType<typeof createKratosDeletionActivities>;

/**
 * Remembers the identifiers before the identity is deleted: afterwards they are unknown.
 * @throws IdentifierKeyMissing (not retried)
 */
async function retire(
  deps: DeletionDependencies,
  { refuseIdentifiersForMs }: DeletionRequest,
  identity: KratosIdentity,
): Promise<void> {
  if (refuseIdentifiersForMs === undefined) return;
  if (deps.identifierKey === undefined) {
    // guard: no deletion without the key that remembers identifiers
    throw giveUp('IdentifierKeyMissing', 'there is no key by which to remember identifiers');
  }
  const now = await deps.clock.now();
  await retireIdentifiers(deps.pool, deps.identifierKey, identifiersOf(identity), {
    now,
    until: now + refuseIdentifiersForMs,
  });
}

async function empty(
  identities: IdentityApi,
  identity: KratosIdentity,
  traits: Record<string, unknown>,
): Promise<void> {
  try {
    await callOry('Kratos', 'updateIdentity', () =>
      identities.updateIdentity({
        id: identity.id,
        updateIdentityBody: {
          schema_id: identity.schema_id,
          state: 'inactive',
          traits,
          metadata_public: null,
          metadata_admin: null,
          // Kratos keeps a password until it is replaced. Nobody knows this one.
          credentials: { password: { config: { password: randomBytes(32).toString('base64url') } } },
        },
      }),
    );
  } catch (error) {
    if (!isRefusedAsUnfit(error)) throw error;
    throw giveUp('AnonymousTraitsDoNotFit', 'updateIdentity was answered 400');
  }
}

/** All types that Kratos lets an admin remove. It answers 400 or 404 for a type that is not there. */
async function removeCredentials(identities: IdentityApi, id: string): Promise<void> {
  const identity = await readIdentity(identities, id);
  for (const type of Object.keys(identity?.credentials ?? {})) {
    if (!isRemovable(type)) continue;
    await callOry('Kratos', 'deleteIdentityCredentials', () =>
      identities.deleteIdentityCredentials({ id, type }),
    );
  }
}

/** A password is replaced instead, and `code` follows the addresses of the traits. */
const kept: readonly string[] = ['password', 'code'];

function isRemovable(type: string): type is DeleteIdentityCredentialsTypeEnum {
  const known: readonly string[] = Object.values(DeleteIdentityCredentialsTypeEnum);
  return known.includes(type) && !kept.includes(type);
}

/** Whether an earlier attempt has already emptied the identity. */
function isShell(identity: KratosIdentity, traits: Record<string, unknown>): boolean {
  return identity.state === 'inactive' && JSON.stringify(identity.traits ?? {}) === JSON.stringify(traits);
}

async function verifyShell(
  identities: IdentityApi,
  identityId: string,
  traits: Record<string, unknown>,
): Promise<void> {
  const identity = await readIdentity(identities, identityId);
  if (identity === undefined) return;
  const allowed = new Set(textsOf(traits).map((text) => text.toLowerCase()));
  const remaining = identifiersOf(identity).filter((identifier) => !allowed.has(identifier.toLowerCase()));
  const removable = Object.keys(identity.credentials ?? {}).filter(isRemovable);
  if (remaining.length > 0 || removable.length > 0) {
    throw tryAgain('CredentialsRemain', 'the identity still has identifiers or credentials of the person');
  }
  if (!isShell(identity, traits)) throw tryAgain('StateNotTaken', 'the identity still has its own traits');
  if ((await readSessions(identities, identityId)).length > 0) {
    throw tryAgain('SessionsRemain', 'the identity still has sessions');
  }
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
