/** The rules that families are judged by, and where they stand. */
import type { PolicyReference } from '../../domain/policy-reference.js';
import type { RefreshPolicy } from '../../domain/tokens/refresh-policy.js';

export interface JudgedBy {
  readonly policy: RefreshPolicy;
  /** Absent: the app's own policy. */
  readonly reference?: PolicyReference;
}
