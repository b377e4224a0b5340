/** A sign of life, and whose it is. */
import type { SignOfLife } from '../domain/sign-of-life.js';
import type { TraceContext } from '../domain/trace-context.js';

export interface IdentitySign extends SignOfLife {
  readonly identityId: string;
  /** Where in a trace it was reported, while it is in memory. */
  readonly trace?: TraceContext;
}
