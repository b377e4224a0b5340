/** The Ory admin clients, with timeouts. */

import { Configuration, IdentityApi, OAuth2Api } from '@ory/client';
import { given } from '../domain/given.js';

export interface OryOptions {
  readonly kratosAdminUrl: string;
  readonly hydraAdminUrl: string;
  /** Bearer token, for Ory Network. */
  readonly token?: string | undefined;
  /** How long one call may take, milliseconds. */
  readonly timeoutMs?: number;
}

export interface OryClients {
  readonly identities: IdentityApi;
  readonly oauth2: OAuth2Api;
}

type ClientOptions = Pick<OryOptions, 'token' | 'timeoutMs'>;

export function createOryClients(options: OryOptions): OryClients {
  return {
    identities: createKratosClient(options.kratosAdminUrl, options),
    oauth2: new OAuth2Api(configuration(options.hydraAdminUrl, options)),
  };
}

export function createKratosClient(kratosAdminUrl: string, options: ClientOptions): IdentityApi {
  return new IdentityApi(configuration(kratosAdminUrl, options));
}

function configuration(basePath: string, { token, timeoutMs }: ClientOptions): Configuration {
  return new Configuration({
    basePath,
    ...given({ accessToken: token }),
    // guard: no call waits for ever
    baseOptions: { timeout: timeoutMs ?? 10_000, maxRedirects: 0, maxContentLength: 4_000_000 },
  });
}
