/** Ends a sign-in at its issuer (RFC 7009), where the issuer's metadata name a revocation endpoint. */
import { tokenRevocation } from 'openid-client';
import type { SignIn } from './contexts-file.js';
import { codeOf, findIssuer } from './issuer.js';

/**
 * The refresh token first: issuers end what was granted with it too (RFC 7009, section 2.1). Never throws: whoever signs out is signed out
 * of this machine whatever the issuer answers.
 * @returns what became of the tokens, as a sentence
 */
export async function revokeSignIn({ issuer, clientId, accessToken, refreshToken }: SignIn): Promise<string> {
  try {
    const config = await findIssuer({ issuer, clientId });
    if (config.serverMetadata().revocation_endpoint === undefined) {
      return `The issuer ${issuer} has no way to revoke tokens: they stay good until they end.`;
    }
    if (refreshToken !== undefined) {
      await tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' });
    }
    await tokenRevocation(config, accessToken, { token_type_hint: 'access_token' });
    return `Its tokens were revoked at ${issuer}. A gateway takes an access token until it ends.`;
  } catch (error) {
    return `The issuer ${issuer} did not revoke the tokens${codeOf(error)}: they stay good until they end. Revoke them there.`;
  }
}
