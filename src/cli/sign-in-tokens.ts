/** Tokens of a sign-in, in the file of contexts: had anew when they end, without a person. */
import { ResponseBodyError, refreshTokenGrant } from 'openid-client';
import { given } from '../domain/given.js';
import { type Context, changeContexts, readContexts, type SignIn } from './contexts-file.js';
import { CliError, exitCodes } from './exit-codes.js';
import { codeOf, findIssuer } from './issuer.js';

/** A token that ends within this time is had anew, milliseconds: a command must not outlive it. */
const marginMs = 30_000;

/** What an issuer answers. */
export interface GrantedTokens {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  /** Seconds. */
  readonly expires_in?: number | undefined;
}

/** Where an issuer does not say how long a token lives, it is had anew after this many seconds. */
const assumedSeconds = 300;

export function signInOf(
  { issuer, clientId }: Pick<SignIn, 'issuer' | 'clientId'>,
  tokens: GrantedTokens,
  now: number,
): SignIn {
  return {
    ...{ issuer, clientId, accessToken: tokens.access_token },
    ...given({ refreshToken: tokens.refresh_token }),
    expiresAt: now + (tokens.expires_in ?? assumedSeconds) * 1_000,
  };
}

/**
 * @param path of the file of contexts
 * @returns an access token that is good for a while. @throws CliError where a person has to sign in again
 */
export async function freshAccessToken(path: string, name: string, gateway: string): Promise<string> {
  const signIn = await signInAt(path, name, gateway);
  if (isFresh(signIn)) return signIn.accessToken;
  const { refreshToken } = signIn;
  if (refreshToken === undefined) throw ended(name, gateway);
  let renewed: SignIn;
  try {
    const tokens = await refreshTokenGrant(await findIssuer(signIn), refreshToken);
    // An issuer that does not rotate refresh tokens answers none.
    renewed = signInOf(
      signIn,
      { ...tokens, refresh_token: tokens.refresh_token ?? refreshToken },
      Date.now(),
    );
  } catch (error) {
    // Another command may have used the refresh token a moment ago, and issuers take each once.
    const again = await signInAt(path, name, gateway);
    if (isFresh(again)) return again.accessToken;
    throw isRefused(error) ? ended(name, gateway) : away(signIn.issuer, error);
  }
  await changeContexts(path, (known) => {
    const present = known.contexts[name];
    // Meanwhile somebody signed in anew, perhaps at another gateway, or signed out.
    if (present?.signIn?.accessToken !== signIn.accessToken) return known;
    return {
      ...known,
      contexts: { ...known.contexts, [name]: { gateway, signIn: renewed } satisfies Context },
    };
  });
  return renewed.accessToken;
}

async function signInAt(path: string, name: string, gateway: string): Promise<SignIn> {
  const found = (await readContexts(path)).contexts[name];
  // What another command changed meanwhile must not go to this gateway.
  if (found?.signIn === undefined || found.gateway.replace(/\/+$/, '') !== gateway)
    throw ended(name, gateway);
  return found.signIn;
}

const isFresh = ({ expiresAt }: SignIn) => expiresAt - marginMs > Date.now();

/** Whether the issuer answered that it takes the refresh token no more (RFC 6749, section 5.2). */
function isRefused(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.status < 500 && error.status !== 429;
}

function away(issuer: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  return new CliError(
    `The issuer ${issuer} gave no new access token${codeOf(error)}. The sign-in may still hold: write the command again.`,
    exitCodes.unavailable,
  );
}

function ended(name: string, gateway: string): CliError {
  return new CliError(
    `The sign-in at the context "${name}" has ended. Sign in again: dormouse login --gateway ${gateway} --context ${name}`,
    exitCodes.notAllowed,
  );
}
