/**
 * Signs heads of the audit log and checks such signatures. A head outlives the database, so it contains
 * everything needed to check it.
 */
import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import type { PrivateSigningKey, SigningKey } from '../keys/signing-keys.js';
import type { ChainHead } from './chain.js';
import type { SignedHead } from './heads-table.js';

/**
 * Keeps the signature of a head from being mistaken for anything else that the key might
 * sign (RFC 8725, section 3.11).
 */
const type = 'dormouse-audit-head+jws';

const payloadSchema = z.strictObject({ seq: z.int().positive(), hash: z.string(), at: z.int() });

/** @param at epoch milliseconds */
export async function signHead(head: ChainHead, at: number, key: PrivateSigningKey): Promise<SignedHead> {
  const { seq, hash } = head;
  const signature = await new CompactSign(Buffer.from(JSON.stringify({ seq, hash, at })))
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: type })
    .sign(key.privateKey);
  return { seq, hash, at, keyId: key.keyId, signature };
}

/** @returns what is wrong with a head's signer or its signed content; `undefined` when the head is sound */
export async function problemOfHead(
  head: SignedHead,
  keys: readonly SigningKey[],
): Promise<string | undefined> {
  const key = keys.find(({ keyId }) => keyId === head.keyId);
  if (key === undefined) return `it was signed by the key ${head.keyId}, which is not among those given`;
  try {
    const { payload, protectedHeader } = await compactVerify(head.signature, key.publicKey, {
      algorithms: [key.algorithm],
    });
    const stated = payloadSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    const agrees = stated.seq === head.seq && stated.hash === head.hash && stated.at === head.at;
    return agrees && protectedHeader.typ === type ? undefined : 'it says something else than what was signed';
  } catch {
    return 'its signature is not valid';
  }
}
