/** Parses Kratos' identities and sessions into plain facts, at the edge. */
import type { IdentityApi } from '@ory/client';
import { z } from 'zod';
import { tryAgain } from '../process/step-error.js';
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

/** @returns the identity, or `undefined` when Kratos does not know it */
export async function readIdentity(
  api: IdentityApi,
  identityId: string,
): Promise<KratosIdentity | undefined> {
  const answer = await callOry<unknown>('Kratos', 'getIdentity', () => api.getIdentity({ id: identityId }));
  if (answer === undefined) return undefined;
  const parsed = identitySchema.safeParse(answer);
  // guard: another identity's answer is not believed
  if (parsed.success && parsed.data.id === identityId) return parsed.data;
  throw tryAgain('KratosMalformedAnswer', 'getIdentity answered something that is not this identity');
}

/**
 * @returns those of the identities that Kratos knows, by id
 * @throws KratosMalformedAnswer where one of them is none, and what {@link listByIds} throws
 */
export async function readIdentities(
  api: IdentityApi,
  identityIds: readonly string[],
): Promise<Map<string, KratosIdentity>> {
  const parsed = z.array(identitySchema).safeParse(await listByIds(api, identityIds));
  if (parsed.success) return new Map(parsed.data.map((identity) => [identity.id, identity]));
  throw tryAgain('KratosMalformedAnswer', 'listIdentities answered something that is not identities');
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
