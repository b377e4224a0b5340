/**
 * Refresh tokens of the app's own service. A token names its family and its place in the line, and holds a secret. The secret of the
 * next one follows from it by a key, so that the same token always has the same successor though only a hash of the valid one is kept
 * (docs/decisions/0013-one-line-of-refresh-tokens.md).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** So that scanners of repositories and logs recognise one. */
const prefix = 'dmr_';
const secretBytes = 32;
const wholeBytes = 16 + 4 + secretBytes;
/**
 * Recognising an old token costs one HMAC a place, under the lock of its row. Older ones are refused as unknown: they end nothing.
 */
const longestWalk = 2_000;

export interface RefreshToken {
  readonly familyId: string;
  /** Its place in the line; the first is 0. */
  readonly generation: number;
  readonly secret: Buffer;
}

/** What the registry keeps of the valid token. */
export interface ValidToken {
  readonly generation: number;
  readonly tokenHash: Buffer;
}

/** @param secret 32 random bytes */
export function firstToken(familyId: string, secret: Buffer): RefreshToken {
  return { familyId, generation: 0, secret };
}

export function formatToken({ familyId, generation, secret }: RefreshToken): string {
  const place = Buffer.alloc(4);
  place.writeUInt32BE(generation);
  return prefix + Buffer.concat([idBytes(familyId), place, secret]).toString('base64url');
}

/** @returns `undefined` for what is no token */
export function parseToken(text: unknown): RefreshToken | undefined {
  if (typeof text !== 'string' || text.length > 100 || !text.startsWith(prefix)) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url');
  if (bytes.length !== wholeBytes) return undefined;
  const hex = bytes.toString('hex', 0, 16);
  const token = {
    familyId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    generation: bytes.readUInt32BE(16),
    secret: bytes.subarray(20),
  };
  // Base64 has several texts for the same bytes.
  return formatToken(token) === text ? token : undefined;
}

/** Shows the database that its caller holds the token. It is not presented to anybody, and is worth nothing to a service. */
export function proofOf({ secret }: RefreshToken): Buffer {
  return sha256(secret);
}

/** What the registry keeps: SHA-256 of the proof, which is SHA-256 of the secret. Enough for 256 random bits. */
export function hashOf(token: RefreshToken): Buffer {
  return sha256(proofOf(token));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** @param key 32 bytes, known to the service alone */
export function successorOf(key: Buffer, { familyId, generation, secret }: RefreshToken): RefreshToken {
  const place = Buffer.alloc(4);
  place.writeUInt32BE(generation + 1);
  const next = createHmac('sha256', key)
    .update('dormouse/refresh/successor\n')
    .update(idBytes(familyId))
    .update(place)
    .update(secret)
    .digest();
  return { familyId, generation: generation + 1, secret: next };
}

/**
 * The valid token of the line that `token` belongs to: itself, or a successor.
 * @returns `undefined` where it does not belong to the line: it is made up
 */
export function validTokenOf(key: Buffer, token: RefreshToken, valid: ValidToken): RefreshToken | undefined {
  const steps = valid.generation - token.generation;
  if (steps < 0 || steps > longestWalk) return undefined;
  let last = token;
  for (let step = 0; step < steps; step += 1) last = successorOf(key, last);
  // guard: refresh: a made-up token is none of the line
  return timingSafeEqual(hashOf(last), valid.tokenHash) ? last : undefined;
}

function idBytes(familyId: string): Buffer {
  return Buffer.from(familyId.replaceAll('-', ''), 'hex');
}
