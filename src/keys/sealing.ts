/** AES-256-GCM as Dormouse uses it: version, nonce, ciphertext and tag in one buffer, bound to what it belongs to. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';
export const dataKeyBytes = 32;

/** What was sealed does not open: another key, other surroundings, or somebody changed it. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

/** @param belongsTo authenticated with the text and not part of it: the text opens in the same surroundings only */
export function sealWith(key: Uint8Array, plaintext: Uint8Array, belongsTo: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(Buffer.from(belongsTo));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, ciphertext, cipher.getAuthTag()]);
}

/** @throws UnsealError */
export function openWith(key: Uint8Array, sealed: Uint8Array, belongsTo: string): Buffer {
  const buffer = Buffer.from(sealed);
  if (buffer.length < 1 + nonceBytes + tagBytes || buffer[0] !== version) {
    throw new UnsealError('this was not sealed by Dormouse, or by a newer version of it');
  }
  const end = buffer.length - tagBytes;
  const nonce = buffer.subarray(1, 1 + nonceBytes);
  // The length is said, so that no shorter tag is accepted.
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(belongsTo));
  decipher.setAuthTag(buffer.subarray(end));
  try {
    return Buffer.concat([decipher.update(buffer.subarray(1 + nonceBytes, end)), decipher.final()]);
  } catch {
    throw new UnsealError('it was sealed with another key or for somebody else, or it was changed');
  }
}
