/** Whether the owner of a refresh family may still use it. Pure. */
import { assertUnreachable } from '../../domain/assert.js';
import type { TokenStanding } from '../admission-rules.js';

/**
 * Suspension and revocation end what was signed in for before them: a fresh sign-in brings a person back before the lifecycle has moved.
 * After deactivation and deletion no sign-in is enough.
 *
 * @param signedInAt when the person signed in for the family, epoch milliseconds. At the very moment of a revocation it is before it
 */
export function isOwnerAdmitted({ stage, since, notBefore }: TokenStanding, signedInAt: number): boolean {
  if (notBefore !== undefined && signedInAt <= notBefore) return false;
  switch (stage) {
    case 'suspended':
    case 'revoked':
      return since !== undefined && signedInAt > since;
    case 'deactivated':
    case 'deleted':
      return false;
    case 'active':
    case 'warned':
    case undefined:
      return true;
    default:
      return assertUnreachable(stage);
  }
}
