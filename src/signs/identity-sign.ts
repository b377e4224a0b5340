/** A sign of life, and whose it is. */
import type { SignOfLife } from '../domain/sign-of-life.js';

export interface IdentitySign extends SignOfLife {
  readonly identityId: string;
}
