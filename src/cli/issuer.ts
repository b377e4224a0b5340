/** The OIDC issuer at which an operator signs in, by its metadata (OpenID Connect Discovery 1.0). */
import { allowInsecureRequests, type Configuration, discovery, None } from 'openid-client';
import { CliError, exitCodes } from './exit-codes.js';

const timeoutSeconds = 15;
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The command line is a public client: what is on an operator's machine is no secret (RFC 8252, section 8.5).
 * @throws CliError
 */
export async function findIssuer({
  issuer,
  clientId,
}: {
  readonly issuer: string;
  readonly clientId: string;
}): Promise<Configuration> {
  const { protocol, hostname } = new URL(issuer);
  const isPlain = protocol === 'http:' && loopbackHosts.includes(hostname);
  try {
    return await discovery(new URL(issuer), clientId, undefined, None(), {
      timeout: timeoutSeconds,
      ...(isPlain && { execute: [allowInsecureRequests] }),
    });
  } catch (error) {
    throw new CliError(
      `The issuer ${issuer} can't be asked how to sign in there${codeOf(error)}. Check that it can be reached from here.`,
      exitCodes.unavailable,
    );
  }
}

/** What an issuer, or the library, calls the problem; never what was sent. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { error: named, code } = error as { error?: unknown; code?: unknown };
  const text = typeof named === 'string' ? named : code;
  return typeof text === 'string' && /^[\w.-]{1,80}$/.test(text) ? ` (${text})` : '';
}
