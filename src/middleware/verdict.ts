/** The result of a verification. Types only. */
import type { VerifiedIdentity } from './options.js';

export interface Verdict {
  /** Absent: the credential proves no identity. */
  readonly identity?: VerifiedIdentity;
  /** When the credential expires, epoch milliseconds: no verdict is cached for longer. */
  readonly expiresAt?: number;
}

export const nobody: Verdict = {};
