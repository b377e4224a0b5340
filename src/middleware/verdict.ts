/** What a verification finds. Types only. */
import type { VerifiedIdentity } from './options.js';

export interface Verdict {
  /** Absent: the credential proves nobody. */
  readonly identity?: VerifiedIdentity;
  /** When the credential ends, epoch milliseconds: no verdict is believed for longer. */
  readonly expiresAt?: number;
}

export const nobody: Verdict = {};
