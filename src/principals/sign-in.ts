/**
 * Operators' sign-in at the desk: the authorization code flow of OpenID Connect with PKCE, state and nonce (OpenID Connect Core 1.0, section
 * 3.1; RFC 7636; RFC 9700, section 2.1.1). Who somebody is and what they may do is read from the access token, by the rules of the API.
 */
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientError,
  ClientSecretBasic,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Principal } from '../domain/principals/principal.js';
import { scopesOf } from '../domain/principals/roles.js';
import type { TokenVerifier } from './authenticator.js';
import { oidcActor } from './operator-tokens.js';
import type { OperatorsIssuer } from './operators-file.js';

/** What the browser keeps between its way to the issuer and back. */
export interface SignInUnderWay {
  readonly alias: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/**
 * `issuer`: the issuer refused, or the person did. `forged`: the answer does not belong to this browser's sign-in, or does not hold.
 * `token`: the access token is none that the API takes. `role`: nobody gave the person a role. `unavailable`: try again later.
 */
export type SignInRefusal = 'issuer' | 'forged' | 'token' | 'role' | 'unavailable';

export type SignedIn =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly cause: SignInRefusal; readonly actor?: string };

export interface SignInOptions {
  readonly issuers: readonly OperatorsIssuer[];
  /** The secrets of confidential clients, by the issuer's alias. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly tokens: TokenVerifier;
  /** Where the issuer sends the browser back to. */
  readonly redirectUri: string;
  /** Told why somebody could not be signed in. */
  readonly onError: (error: unknown) => void;
}

const timeoutSeconds = 10;
/** How long an issuer's metadata counts, milliseconds. */
const metadataMs = 3_600_000;

export class SignIn {
  private readonly known = new Map<string, { readonly found: Promise<Configuration>; readonly at: number }>();

  constructor(private readonly options: SignInOptions) {}

  /** The issuers by which people sign in at the desk. */
  get aliases(): readonly string[] {
    return this.options.issuers.filter(({ desk }) => desk !== undefined).map(({ alias }) => alias);
  }

  /**
   * Of a session that began earlier, perhaps under another DORMOUSE_OPERATORS_FILE.
   * @returns without the scopes that no role of its issuer gives any more. `undefined`: nobody signs in by that issuer any more
   */
  stillGiven(principal: Principal): Principal | undefined {
    const issuer = this.issuerOf(/^oidc:([^:]+):/.exec(principal.actor)?.[1] ?? '');
    if (issuer === undefined) return undefined;
    const given: readonly string[] = scopesOf([...issuer.roles.values()]);
    // guard: desk: a session keeps no scope that the file gives nobody any more
    return { ...principal, scopes: principal.scopes.filter((scope) => given.includes(scope)) };
  }

  /**
   * @param again the person is to show again who they are, though the issuer still knows them
   * @returns where the browser goes, and what it keeps. `undefined`: there is no such issuer, or it can't be reached
   */
  async begin(
    alias: string,
    again: boolean,
  ): Promise<{ readonly url: URL; readonly underWay: SignInUnderWay } | undefined> {
    const issuer = this.issuerOf(alias);
    if (issuer?.desk === undefined) return undefined;
    const underWay = {
      ...{ alias, state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() },
    };
    try {
      const url = buildAuthorizationUrl(await this.configurationOf(issuer), {
        redirect_uri: this.options.redirectUri,
        scope: issuer.desk.scope,
        // For issuers that name an API so; others ignore it (RFC 6749, section 3.1).
        audience: issuer.audience,
        ...{ state: underWay.state, nonce: underWay.nonce },
        code_challenge: await calculatePKCECodeChallenge(underWay.verifier),
        code_challenge_method: 'S256',
        ...(again && { prompt: 'login' }),
      });
      return { url, underWay };
    } catch (error) {
      this.options.onError(toldOf(error));
      return undefined;
    }
  }

  /** @param query of the URL that the browser came back to. Never throws */
  async end(underWay: SignInUnderWay, query: URLSearchParams): Promise<SignedIn> {
    const issuer = this.issuerOf(underWay.alias);
    if (issuer === undefined) return { kind: 'refused', cause: 'forged' };
    try {
      const back = new URL(this.options.redirectUri);
      back.search = query.toString();
      const answer = await authorizationCodeGrant(await this.configurationOf(issuer), back, {
        // guard: desk: the answer belongs to this browser's sign-in
        expectedState: underWay.state,
        expectedNonce: underWay.nonce,
        pkceCodeVerifier: underWay.verifier,
      });
      const subject = answer.claims()?.sub ?? '';
      return await this.principalOf(issuer, subject, answer.access_token);
    } catch (error) {
      this.options.onError(toldOf(error));
      return { kind: 'refused', cause: causeOf(error) };
    }
  }

  private async principalOf({ alias }: OperatorsIssuer, subject: string, token: string): Promise<SignedIn> {
    const verified = await this.options.tokens.verify(token);
    if (verified.kind === 'refused')
      return { kind: 'refused', cause: verified.cause === 'unavailable' ? 'unavailable' : 'token' };
    const { principal } = verified;
    // The ID token and the access token are of one person, or somebody mixed two sign-ins.
    // guard: desk: the ID token and the access token are of one person
    if (principal.actor !== oidcActor(alias, subject)) return { kind: 'refused', cause: 'forged' };
    if (principal.scopes.length === 0) return { kind: 'refused', cause: 'role', actor: principal.actor };
    return { kind: 'known', principal };
  }

  private issuerOf(alias: string): OperatorsIssuer | undefined {
    return this.options.issuers.find((issuer) => issuer.alias === alias && issuer.desk !== undefined);
  }

  private configurationOf(issuer: OperatorsIssuer): Promise<Configuration> {
    const { alias } = issuer;
    const known = this.known.get(alias);
    if (known !== undefined && performance.now() - known.at < metadataMs) return known.found;
    const found = this.discover(issuer);
    this.known.set(alias, { found, at: performance.now() });
    // A failure is not remembered: the next person tries again.
    found.catch(() => this.known.delete(alias));
    return found;
  }

  private discover({ alias, issuer, desk }: OperatorsIssuer): Promise<Configuration> {
    const secret = this.options.secrets.get(alias);
    const url = new URL(issuer);
    return discovery(
      url,
      desk?.client ?? '',
      undefined,
      secret === undefined ? None() : ClientSecretBasic(secret),
      {
        timeout: timeoutSeconds,
        // The file allows http for the loopback address only.
        execute: [...(url.protocol === 'http:' ? [allowInsecureRequests] : []), enableNonRepudiationChecks],
      },
    );
  }
}

/** Errors of a network stand a few causes deep. */
const deepest = 5;

/**
 * What a log may say of it: names and codes. The library's errors hold the issuer's whole answer, and issuers write what they like into
 * it: names and addresses of people, perhaps tokens.
 */
function toldOf(error: unknown): Error {
  const words: string[] = [];
  for (let one = error, depth = 0; one instanceof Error && depth < deepest; one = one.cause, depth += 1) {
    const { name, code, error: named } = one as { name: unknown; code?: unknown; error?: unknown };
    words.push(
      ...[name, code, named].filter(
        (word): word is string => typeof word === 'string' && /^[\w.-]{1,80}$/.test(word),
      ),
    );
  }
  // Of this class, the message is the library's own.
  const message = error instanceof ClientError ? `: ${error.message}` : '';
  return new Error(`the issuer, or its answer: ${[...new Set(words)].join(' ')}${message}`);
}

function causeOf(error: unknown): SignInRefusal {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) return 'issuer';
  if (error instanceof ClientError && error.code !== 'OAUTH_TIMEOUT') return 'forged';
  return 'unavailable';
}
