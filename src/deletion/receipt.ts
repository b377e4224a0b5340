/** Signs what was deleted, when and why, so that the deletion can be proven without trusting the database. */
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { PrivateSigningKey, SigningKey } from '../keys/signing-keys.js';

/** Keeps the signature from being mistaken for anything else that the key signs (RFC 8725, section 3.11). */
const type = 'dormouse-deletion-receipt+jws';

const receiptSchema = z.strictObject({
  identityId: z.string(),
  action: z.enum(['delete', 'anonymise']),
  /** Epoch milliseconds, like all times here. */
  deletedAt: z.int(),
  inactiveSince: z.int(),
  policy: z.strictObject({ id: z.string(), version: z.int(), hash: z.string() }).optional(),
  noticesAccepted: z.int().min(0),
  firstNoticeAcceptedAt: z.int().optional(),
  deactivatedAt: z.int().optional(),
  /** Where the app keeps the exported data. */
  export: z.string().optional(),
});
export type DeletionReceipt = z.infer<typeof receiptSchema>;

/**
 * The same receipt and an Ed25519 key give the same signature, so that a repeated step gives the same result.
 */
export function signReceipt(receipt: DeletionReceipt, key: PrivateSigningKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(receipt)))
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: type })
    .sign(key.privateKey);
}

/** @returns the signed receipt, or `undefined` where none of the keys signed it */
export async function openReceipt(
  signed: string,
  keys: readonly SigningKey[],
): Promise<DeletionReceipt | undefined> {
  for (const key of keys) {
    try {
      const { payload, protectedHeader } = await compactVerify(signed, key.publicKey, {
        algorithms: [key.algorithm],
      });
      if (protectedHeader.typ !== type) return undefined;
      return receiptSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    } catch {
      // Another key may have signed it.
    }
  }
  return undefined;
}
