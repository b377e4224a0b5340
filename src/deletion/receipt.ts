/** Signs what was deleted, when and why, so that it can be shown to whoever asks without trusting the database. */
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { PrivateSigningKey, SigningKey } from '../keys/signing-keys.js';

/** Keeps the signature from being taken for anything else that the key signs (RFC 8725, section 3.11). */
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
  /** Where the app keeps what must be kept. */
  export: z.string().optional(),
});
export type DeletionReceipt = z.infer<typeof receiptSchema>;

/** The same receipt and an Ed25519 key give the same signature, so that a repeated step repeats it. */
export function signReceipt(receipt: DeletionReceipt, key: PrivateSigningKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(receipt)))
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: type })
    .sign(key.privateKey);
}

/** @returns what was signed, or `undefined` where none of the keys did */
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
