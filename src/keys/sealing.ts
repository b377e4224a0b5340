/** Dormouse's AES-256-GCM format: version, nonce, ciphertext and tag in one buffer, bound to a context. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';
export const dataKeyBytes = 32;

/** The sealed data does not open: another key, another context, or it was changed. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

/**
 * @param belongsTo the context. It is authenticated but not part of the text: the data
 * opens in the same context only
 */
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
  // The tag length is given, so that no shorter tag is accepted.
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(belongsTo));
  decipher.setAuthTag(buffer.subarray(end));
  try {
    return Buffer.concat([decipher.update(buffer.subarray(1 + nonceBytes, end)), decipher.final()]);
  } catch {
    throw new UnsealError('it was sealed with another key or for somebody else, or it was changed');
  }
}
