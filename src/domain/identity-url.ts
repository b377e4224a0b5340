/** The address of an identity's page at the desk, below the desk's own. */
import { parseIdentityId } from './identity-id.js';

/** @throws InvalidIdentityIdError */
export function identityUrl(identityId: string): string {
  return `/desk/identities/${parseIdentityId(identityId)}`;
}
