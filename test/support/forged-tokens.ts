/** Builds tokens by hand, with what no library would sign. */
import { createHmac, KeyObject, sign as signWith } from 'node:crypto';
import type { CryptoKey } from 'jose';

/** JSON text as it is, or a value that is written as JSON. */
type Part = string | Uint8Array | object;
export type Signer = (input: string) => Uint8Array;

export function tokenOf(header: Part, payload: Part, signer: Signer): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${Buffer.from(signer(input)).toString('base64url')}`;
}

export const rsaSigner =
  (key: CryptoKey): Signer =>
  (input) =>
    signWith('sha256', Buffer.from(input), KeyObject.from(key));

export const hmacSigner =
  (secret: string): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();

/** Without its closing brace, so that a member can be put in by hand. */
export function withMember(object: object, member: string): string {
  return `${JSON.stringify(object).slice(0, -1)},${member}}`;
}

function encoded(part: Part): string {
  const bytes =
    typeof part === 'string' || part instanceof Uint8Array ? part : Buffer.from(JSON.stringify(part));
  return Buffer.from(bytes as Uint8Array).toString('base64url');
}
