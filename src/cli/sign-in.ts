/**
 * An operator signs in at an OIDC issuer: by device code (RFC 8628) where the issuer has it, otherwise by an authorization code with PKCE
 * on a loopback redirect (RFC 8252, section 7.3).
 */
import { createServer, type Server } from 'node:http';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { SignIn } from './contexts-file.js';
import { CliError, exitCodes } from './exit-codes.js';
import { codeOf, findIssuer } from './issuer.js';
import { printable } from './output.js';
import { signInOf } from './sign-in-tokens.js';

export interface SignInRequest {
  readonly issuer: string;
  readonly clientId: string;
  /** What the token is for: the gateway's API. */
  readonly audience: string;
  /** Scopes to ask for, with blanks between them. */
  readonly scope: string;
  /** Of the loopback redirect; 0 takes a free one. */
  readonly port: number;
  /** `browser`: also where the issuer has device codes. */
  readonly way?: 'browser';
}

/** How long a person may take, milliseconds. */
const patienceMs = 600_000;

/** @param tell is told what the person has to do, line by line. @throws CliError */
export async function signIn(request: SignInRequest, tell: (line: string) => void): Promise<SignIn> {
  const config = await findIssuer(request);
  const hasDevices = config.serverMetadata().device_authorization_endpoint !== undefined;
  const tokens =
    hasDevices && request.way !== 'browser'
      ? await byDevice(config, request, tell)
      : await byBrowser(config, request, tell);
  return signInOf(request, tokens, Date.now());
}

async function byDevice(
  config: Configuration,
  { scope, audience }: SignInRequest,
  tell: (line: string) => void,
) {
  try {
    const device = await initiateDeviceAuthorization(config, { scope, audience });
    tell(
      `Open ${printable(device.verification_uri)} on any device, and type the code ${printable(device.user_code)}`,
    );
    const signal = AbortSignal.timeout(Math.min(patienceMs, device.expires_in * 1_000));
    return await pollDeviceAuthorizationGrant(config, device, undefined, { signal });
  } catch (error) {
    throw refused(error);
  }
}

async function byBrowser(
  config: Configuration,
  { scope, audience, port }: SignInRequest,
  tell: (line: string) => void,
) {
  const verifier = randomPKCECodeVerifier();
  const state = randomState();
  const callback = await listenForCallback(port);
  try {
    const url = buildAuthorizationUrl(config, {
      ...{ redirect_uri: callback.url, scope, audience, state },
      ...{ code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    });
    tell(`Open this address in a browser on this machine:\n${url.href}`);
    return await authorizationCodeGrant(config, await callback.called(state), {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
  } catch (error) {
    throw refused(error);
  } finally {
    callback.close();
  }
}

function refused(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const isLate = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
  return new CliError(
    isLate
      ? 'Nobody signed in within the time for it. Write the command again.'
      : `The issuer did not sign you in${codeOf(error)}.`,
    exitCodes.notAllowed,
  );
}

const path = '/callback';

interface Callback {
  readonly url: string;
  /** Settles with the address that the browser called, once its state is the expected one. */
  called(state: string): Promise<URL>;
  close(): void;
}

/** Any page that the operator's browser shows can call this port, so only the right state counts. */
async function listenForCallback(port: number): Promise<Callback> {
  const server = createServer();
  const at = await listening(server, port);
  const base = `http://127.0.0.1:${at}`;
  let timer: NodeJS.Timeout | undefined;
  return {
    url: `${base}${path}`,
    called: (state) =>
      new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new DOMException('too late', 'TimeoutError')), patienceMs);
        server.on('request', (request, response) => {
          // Whoever calls writes what they like: "//" is no address.
          const address = request.url ?? '/';
          const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
          const isIt = url?.pathname === path && url.searchParams.get('state') === state;
          response.writeHead(isIt ? 200 : 404, {
            'content-type': 'text/plain; charset=utf-8',
            'cache-control': 'no-store',
            connection: 'close',
          });
          // Sent, or given up by the browser: the code is here either way.
          if (url !== undefined && isIt) response.once('close', () => resolve(url));
          response.end(isIt ? 'You can close this page and go back to the command line.\n' : 'Not found.\n');
        });
      }),
    close: () => {
      clearTimeout(timer);
      server.close();
      // Browsers connect ahead, and a connection without a request would keep the command from ending.
      server.closeAllConnections();
    },
  };
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', () =>
      reject(
        new CliError(
          `--port: nothing can listen at 127.0.0.1:${port}. Name a port that is free and that the issuer knows for this client`,
          exitCodes.usage,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
