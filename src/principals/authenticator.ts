/** Decides who calls the gateway by what they show: a configured key, a named credential, or an operator's token of an OIDC issuer. */
import { credentialActor, type Principal } from '../domain/principals/principal.js';
import { covers, type RouteScope } from '../domain/principals/scopes.js';
import type { configuredPrincipals, Presented } from './configured.js';
import type { CredentialDirectory } from './directory.js';
import { credentialHash, isCredentialSecret } from './issue.js';
import { isWithin } from './networks.js';

/** Why a call is refused, for the log and the audit log. */
export type RefusalCause =
  /** Nothing was shown. */
  | 'none'
  /** No credential of ours: made up, mistyped, or ended a while ago. */
  | 'unknown'
  /** It expired, was rotated out, or revoked. */
  | 'ended'
  /** It is not taken from this address. */
  | 'address'
  /** A token of an issuer that does not hold: signature, audience, time, client. */
  | 'token'
  /** A signature of an event that does not hold. */
  | 'signature'
  /** A form that no page of ours sent. */
  | 'origin'
  /** Known, and not allowed to do this. */
  | 'scope'
  /** Whether it is good can't be told now. */
  | 'unavailable';

export type Identified =
  | {
      readonly kind: 'known';
      readonly principal: Principal;
      /** A name of the credential for rate limits, never the credential itself. */
      readonly caller: string;
    }
  /** @property actor whose credential it is, where that is known */
  | { readonly kind: 'refused'; readonly cause: RefusalCause; readonly actor?: string };

/** Operators' tokens of OIDC issuers. */
export interface TokenVerifier {
  /** Whether the text has the form of such a token, and names an issuer that is known. */
  claims(token: string): boolean;
  /** Never throws. */
  verify(token: string): Promise<Identified>;
}

export interface AuthenticatorOptions {
  readonly configured: ReturnType<typeof configuredPrincipals>;
  /** Named credentials. Absent: there are none. */
  readonly directory?: CredentialDirectory;
  /** Absent: nobody signs in by OIDC. */
  readonly tokens?: TokenVerifier;
}

export class Authenticator {
  constructor(private readonly options: AuthenticatorOptions) {}

  /**
   * Never throws.
   * @param shown everything that the request shows, in the order in which it is tried
   * @param address of the caller, behind trusted proxies
   */
  async identify(shown: readonly Presented[], scope: RouteScope, address: string): Promise<Identified> {
    let refused: Identified = { kind: 'refused', cause: 'none' };
    for (const presented of shown) {
      const identified = await this.identifyOne(presented, scope, address);
      if (identified.kind === 'known') return withScope(identified, scope);
      refused = identified;
    }
    return refused;
  }

  private async identifyOne(presented: Presented, scope: RouteScope, address: string): Promise<Identified> {
    const { configured, directory, tokens } = this.options;
    const known = configured(presented, scope);
    if (known !== undefined) return { kind: 'known', principal: known.principal, caller: known.caller };
    const { secret, carrier } = presented;
    if (directory !== undefined && isCredentialSecret(secret))
      return named(directory, secret, scope, address);
    if (tokens !== undefined && carrier === 'bearer' && tokens.claims(secret)) return tokens.verify(secret);
    return { kind: 'refused', cause: 'unknown' };
  }
}

/** @returns the same, refused where the scope is lacking */
export function withScope(identified: Identified, scope: RouteScope): Identified {
  if (identified.kind === 'refused') return identified;
  const { scopes, actor } = identified.principal;
  // guard: principals: a credential without the scope is refused
  return covers(scopes, scope) ? identified : { kind: 'refused', cause: 'scope', actor };
}

function named(
  directory: CredentialDirectory,
  secret: string,
  scope: RouteScope,
  address: string,
): Identified {
  const found = directory.find(credentialHash(secret).toString('base64url'));
  if (found.kind === 'unavailable' || found.kind === 'unknown') return { kind: 'refused', cause: found.kind };
  const { name, owner, scopes, networks } = found.credential;
  const actor = credentialActor(name);
  if (found.kind === 'ended') return { kind: 'refused', cause: 'ended', actor };
  // guard: principals: a credential is taken from its networks only
  if (!isWithin(networks, address)) return { kind: 'refused', cause: 'address', actor };
  if (covers(scopes, scope)) directory.noteUse(found.credential);
  return { kind: 'known', principal: { actor, owner, scopes }, caller: actor };
}
