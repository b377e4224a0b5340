/**
 * The form of a personal access token: `dmp_`, 256 random bits in 43 base62 characters, and the CRC-32 of all that in six more, padded
 * with `0`. Secret scanners find it by its form, and a mistyped one is refused without a query. (GitHub's tokens have the same
 * parts: "Behind GitHub's new authentication token formats", 2021.) Pure.
 */
import { crc32 } from './crc32.js';

/** How many random bytes a token is made of. */
export const randomBytesOf = 32;
const randomCharacters = 43;
const checksumCharacters = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyPattern = new RegExp(`^[0-9A-Za-z]{${randomCharacters + checksumCharacters}}$`);

/** @param random 32 bytes. @throws RangeError where there are more or fewer: a shorter secret must never be handed out */
export function formatPersonalToken(prefix: string, random: Uint8Array): string {
  if (random.length !== randomBytesOf)
    throw new RangeError(`a token is made of ${randomBytesOf} random bytes`);
  const value = random.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const start = `${prefix}_${inBase62(value, randomCharacters)}`;
  return start + checksumOf(start);
}

/** Whether the text can be a token with this prefix: length, alphabet and checksum. Says nothing about whether it exists. */
export function isPersonalToken(prefix: string, text: string): boolean {
  if (!text.startsWith(`${prefix}_`)) return false;
  if (!bodyPattern.test(text.slice(prefix.length + 1))) return false;
  const checksumAt = text.length - checksumCharacters;
  return text.slice(checksumAt) === checksumOf(text.slice(0, checksumAt));
}

function checksumOf(text: string): string {
  return inBase62(BigInt(crc32(text)), checksumCharacters);
}

function inBase62(value: bigint, length: number): string {
  let digits = '';
  for (let rest = value; rest > 0n; rest /= 62n) digits = alphabet.charAt(Number(rest % 62n)) + digits;
  // guard: tokens: a checksum is padded
  return digits.padStart(length, '0');
}
