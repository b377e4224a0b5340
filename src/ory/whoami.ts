/** Asks Kratos whose session it is (whoami), and takes in of the answer only what is used. */
import { Configuration, FrontendApi } from '@ory/client';
import { isAxiosError } from 'axios';
import { z } from 'zod';
import { given } from '../domain/given.js';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const word = z.string().max(64);
const sessionSchema = z.object({
  id: z.guid().optional().catch(undefined),
  active: z.literal(true),
  expires_at: time.optional().catch(undefined),
  authenticated_at: time.optional().catch(undefined),
  authenticator_assurance_level: z.enum(['aal0', 'aal1', 'aal2', 'aal3']).optional().catch(undefined),
  authentication_methods: z
    .array(z.object({ aal: z.string().optional(), completed_at: time.optional() }))
    .optional()
    .catch(undefined),
  devices: z
    .array(z.object({ user_agent: z.string().nullish() }))
    .nullish()
    .catch(undefined),
  // Kratos omits the state in identities older than the field.
  identity: z.object({
    id: z.guid(),
    state: z.literal('active').default('active'),
    traits: z
      .object({ role: word.optional().catch(undefined) })
      .optional()
      .catch(undefined),
    metadata_public: z
      .object({
        role: word.optional().catch(undefined),
        roles: z.array(word).max(100).optional().catch(undefined),
      })
      .nullish()
      .catch(undefined),
  }),
});

const looksLikeSession = z.object({ active: z.boolean() });

/** A session that Kratos answered for. Times are epoch milliseconds. */
export interface KratosSession {
  readonly identityId: string;
  readonly sessionId?: string;
  readonly expiresAt?: number;
  /** The latest completion of a first factor. Kratos' own `authenticated_at` also moves with a second factor. */
  readonly authenticatedAt?: number;
  /** The latest completion of any factor. */
  readonly latestAt?: number;
  readonly assurance?: 'aal1' | 'aal2' | 'aal3';
  /** The user agent of the sign-in. */
  readonly userAgent?: string;
  /** `traits.role`, and `role` and `roles` of `metadata_public`. */
  readonly roles: readonly string[];
}

/** Kratos gave no answer, or none that decides anything. Without credential and body. */
export class WhoamiError extends Error {
  override readonly name = 'WhoamiError';
}

export type SessionProof = { readonly cookie: string } | { readonly xSessionToken: string };

/**
 * @returns a function that answers with the session, or `undefined` where Kratos knows none that is
 * complete; it throws WhoamiError
 */
export function createWhoami(publicUrl: string, timeoutMs: number) {
  const frontend = frontendOf(publicUrl, timeoutMs);
  return async (proof: SessionProof, signal: AbortSignal): Promise<KratosSession | undefined> => {
    const { status, data } = await frontend.toSession(proof, { signal }).catch((error: unknown) => {
      // The error itself would contain the request with its credential.
      throw new WhoamiError((isAxiosError(error) ? error.code : undefined) ?? 'no answer');
    });
    // 401: no such session. 403: the second factor is still missing, so no identity is proven yet.
    if (status === 401 || status === 403) return undefined;
    if (status !== 200) throw new WhoamiError(`answered ${status}`);
    // A page of a proxy, say: nothing is known of the session then.
    if (!looksLikeSession.safeParse(data).success) throw new WhoamiError('answered no session');
    const parsed = sessionSchema.safeParse(data);
    return parsed.success ? sessionOf(parsed.data) : undefined;
  };
}

function frontendOf(publicUrl: string, timeoutMs: number): FrontendApi {
  return new FrontendApi(
    new Configuration({
      basePath: publicUrl.replace(/\/+$/, ''),
      baseOptions: {
        timeout: timeoutMs,
        maxRedirects: 0,
        maxContentLength: 1_000_000,
        validateStatus: () => true,
      },
    }),
  );
}

const ofMine = z.array(
  z.object({
    id: z.guid(),
    authenticated_at: time,
    devices: z
      .array(z.object({ user_agent: z.string().nullish(), location: z.string().nullish() }))
      .nullish()
      .catch(undefined),
  }),
);

/** One of a person's sessions. */
export interface KratosSessionOfMine {
  readonly sessionId: string;
  /** Epoch milliseconds. */
  readonly authenticatedAt: number;
  readonly userAgent?: string;
  readonly place?: string;
}

/** @returns a function that lists the active sessions of a credential's identity, its own first; it throws WhoamiError */
export function createSessionList(publicUrl: string, timeoutMs: number) {
  const frontend = frontendOf(publicUrl, timeoutMs);
  return async (proof: SessionProof, signal: AbortSignal): Promise<KratosSessionOfMine[]> => {
    const [own, others] = await Promise.all([
      frontend.toSession(proof, { signal }),
      frontend.listMySessions({ ...proof, perPage: 250 }, { signal }),
    ]).catch((error: unknown) => {
      throw new WhoamiError((isAxiosError(error) ? error.code : undefined) ?? 'no answer');
    });
    if (own.status !== 200 || others.status !== 200) throw new WhoamiError(`answered ${others.status}`);
    const parsed = ofMine.safeParse([own.data, ...others.data]);
    if (!parsed.success) throw new WhoamiError('answered what could not be understood');
    return parsed.data.map(({ id, authenticated_at: authenticatedAt, devices }) => ({
      sessionId: id,
      authenticatedAt,
      ...given({
        userAgent: devices?.[0]?.user_agent ?? undefined,
        place: devices?.[0]?.location || undefined,
      }),
    }));
  };
}

function sessionOf(data: z.infer<typeof sessionSchema>): KratosSession {
  const { identity, authentication_methods: methods = [], authenticated_at: stated } = data;
  const completed = (only?: string) =>
    methods.flatMap(({ aal, completed_at: at }) =>
      at === undefined || (only !== undefined && aal !== only) ? [] : [at],
    );
  const { traits, metadata_public: metadata } = identity;
  const assurance = data.authenticator_assurance_level;
  return {
    identityId: identity.id,
    roles: [traits?.role, metadata?.role, ...(metadata?.roles ?? [])].filter((role) => role !== undefined),
    ...given({
      sessionId: data.id,
      expiresAt: data.expires_at,
      // guard: sessions: a second factor leaves the absolute limit
      authenticatedAt: latest(completed('aal1')) ?? stated,
      latestAt: latest([...completed(), ...(stated === undefined ? [] : [stated])]),
      assurance: assurance === 'aal0' ? undefined : assurance,
      userAgent: data.devices?.[0]?.user_agent ?? undefined,
    }),
  };
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}
