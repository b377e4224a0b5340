/** The identity of a token, from verified claims. */
import { z } from 'zod';
import { nobody, type Verdict } from './verdict.js';

const subjectSchema = z.object({
  sub: z.guid(),
  client_id: z.string().optional(),
  exp: z.number().optional(),
});

/**
 * Client-credentials tokens have their client's id as subject, which with Hydra is a UUID
 * too. A client is not an identity.
 * @param claims of an introspection or a JWT
 */
export function ownerOf(claims: unknown): Verdict {
  const parsed = subjectSchema.safeParse(claims);
  if (!parsed.success || parsed.data.sub === parsed.data.client_id) return nobody;
  const { sub, exp } = parsed.data;
  return {
    identity: { identityId: sub, kind: 'token' },
    ...(exp === undefined ? {} : { expiresAt: exp * 1_000 }),
  };
}
