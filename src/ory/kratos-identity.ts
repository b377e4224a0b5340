/** Parses Kratos' identities and sessions into plain facts, at the edge. */
import type { IdentityApi } from '@ory/client';
import { z } from 'zod';
import { isIdentityId } from '../domain/identity-id.js';
import { tryAgain, tryOneAgain } from '../process/step-error.js';
import { callOry } from './call.js';
import { listByIds } from './list-by-ids.js';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
// Kratos takes any JSON as metadata. A value that is not an object has no field that the ladder reads.
const unknownRecord = z.record(z.string(), z.unknown()).nullish().catch(undefined);

const address = z.object({ id: z.string().optional(), value: z.string(), via: z.string() });

const identitySchema = z.object({
  id: z.guid(),
  schema_id: z.string(),
  state: z.enum(['active', 'inactive']).default('active'),
  state_changed_at: time.nullish(),
  created_at: time,
  traits: unknownRecord,
  metadata_admin: unknownRecord,
  // Other programs own this field, so it must be kept even where it is not an object.
  metadata_public: z.unknown(),
  verifiable_addresses: z.array(address.extend({ verified: z.boolean() })).nullish(),
  recovery_addresses: z.array(address).nullish(),
  credentials: z.record(z.string(), z.looseObject({ identifiers: z.array(z.string()).nullish() })).nullish(),
});

/**
 * An identity as Kratos returns it, with times in epoch milliseconds. Holds personal
 * data: never leaves the activity.
 */
export type KratosIdentity = z.output<typeof identitySchema>;

/** Every name and address with which the person could sign in or be reached. */
export function identifiersOf(identity: KratosIdentity): string[] {
  const byCredential = Object.values(identity.credentials ?? {}).flatMap(
    ({ identifiers }) => identifiers ?? [],
  );
  const addresses = [...(identity.verifiable_addresses ?? []), ...(identity.recovery_addresses ?? [])];
  return [...new Set([...byCredential, ...addresses.map(({ value }) => value)])];
}

const sessionSchema = z.object({
  id: z.string(),
  authenticated_at: time.nullish(),
});
export type KratosSession = z.output<typeof sessionSchema>;

/**
 * @returns the identity, or `undefined` when Kratos does not know it
 * @throws KratosMalformedAnswer, which concerns this identity only where the answer names it; and what {@link callOry} throws
 */
export async function readIdentity(
  api: IdentityApi,
  identityId: string,
): Promise<KratosIdentity | undefined> {
  const answer = await callOry<unknown>('Kratos', 'getIdentity', () => api.getIdentity({ id: identityId }));
  if (answer === undefined) return undefined;
  const parsed = identitySchema.safeParse(answer);
  // guard: another identity's answer is not believed
  if (parsed.success && parsed.data.id === identityId) return parsed.data;
  if (named.safeParse(answer).data?.id === identityId) {
    throw tryOneAgain(
      'KratosMalformedAnswer',
      'getIdentity answered this identity in a form that is not known',
    );
  }
  throw tryAgain('KratosMalformedAnswer', 'getIdentity answered something that is not this identity');
}

const named = z.looseObject({ id: z.string() });

/** What a list of identities says about each that was asked for. Those in neither part are not known to Kratos. */
export interface ReadIdentities {
  /** By id, as it was asked for. */
  readonly found: ReadonlyMap<string, KratosIdentity>;
  /** Kratos has them, or may have them, in a form that is not known or too large to be read. */
  readonly unreadable: ReadonlySet<string>;
}

/**
 * Reads many identities. One that can't be read holds up no others.
 * @throws what {@link listByIds} throws
 */
export async function readIdentities(
  api: IdentityApi,
  identityIds: readonly string[],
): Promise<ReadIdentities> {
  const { records, tooLarge } = await listByIds(api, identityIds);
  const asked = new Set(identityIds);
  const found = new Map<string, KratosIdentity>();
  const unreadable = new Set(tooLarge);
  let nameless = false;
  for (const record of records) {
    const id = named.safeParse(record).data?.id.toLowerCase();
    const identity = identitySchema.safeParse(record);
    // guard: an identity that can’t be read holds up no others
    if (id === undefined || !isIdentityId(id)) nameless = true;
    else if (asked.has(id) && identity.success && !unreadable.has(id)) found.set(id, identity.data);
    else if (asked.has(id)) unreadable.add(id);
  }
  // A record without an id is that of somebody who was asked for: who is not found may be that one, and is not called missing.
  // guard: a record without an id makes nobody missing
  if (nameless) for (const id of identityIds) if (!found.has(id)) unreadable.add(id);
  for (const id of unreadable) found.delete(id);
  return { found, unreadable };
}

/**
 * @returns every session of the identity in Kratos, including signed-out and expired ones; empty when the
 * identity is unknown. `active` is ignored: Kratos shows every session of a disabled identity as not active,
 * and all of them become active again when it is enabled. A person who signed out was present as well.
 */
export async function readSessions(api: IdentityApi, identityId: string): Promise<KratosSession[]> {
  const sessions: KratosSession[] = [];
  for (let page = 1; page <= maxSessionPages; page += 1) {
    const answer = await callOry<unknown>('Kratos', 'listIdentitySessions', () =>
      api.listIdentitySessions({ id: identityId, perPage: sessionsPerPage, page }),
    );
    if (answer === undefined) return sessions;
    const parsed = z.array(sessionSchema).safeParse(answer);
    if (!parsed.success)
      throw tryAgain('KratosMalformedAnswer', 'listIdentitySessions answered no list of sessions');
    sessions.push(...parsed.data);
    if (parsed.data.length < sessionsPerPage) break;
  }
  return sessions;
}

const sessionsPerPage = 250;
const maxSessionPages = 40;

/** The latest interactive sign-in among the sessions. @returns epoch milliseconds */
export function latestAuthentication(sessions: readonly KratosSession[]): number | undefined {
  const times = sessions.flatMap((session) => session.authenticated_at ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** A text field of metadata or traits; anything else counts as absent. */
export function textField(record: KratosIdentity['traits'], field: string): string | undefined {
  const value = record?.[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
