/** The address of an identity's page. Pure. */
import { parseIdentityId } from '../domain/identity-id.js';

/** @throws InvalidIdentityIdError */
export function identityUrl(identityId: string): string {
  return `/desk/identities/${parseIdentityId(identityId)}`;
}
