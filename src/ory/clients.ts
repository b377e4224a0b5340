/** The Ory admin clients, with timeouts. */

import { Configuration, IdentityApi, OAuth2Api } from '@ory/client';
import { given } from '../domain/given.js';
import type { CallPacer } from '../pacing/call-pacer.js';
import type { Pacers } from '../pacing/start-pacers.js';
import { pacedHttp } from './paced-http.js';

export interface OryOptions {
  readonly kratosAdminUrl: string;
  readonly hydraAdminUrl: string;
  /** Bearer token, for Ory Network. */
  readonly token?: string | undefined;
  /** How long one call may take, milliseconds. */
  readonly timeoutMs?: number;
  /** At which pace calls are made; absent: as they come, as for a person who waits. */
  readonly pacers?: Pacers;
}

export interface OryClients {
  readonly identities: IdentityApi;
  readonly oauth2: OAuth2Api;
}

type ClientOptions = Pick<OryOptions, 'token' | 'timeoutMs' | 'pacers'>;

export function createOryClients(options: OryOptions): OryClients {
  return {
    identities: createKratosClient(options.kratosAdminUrl, options),
    oauth2: new OAuth2Api(configuration(options.hydraAdminUrl, options, options.pacers?.hydra)),
  };
}

export function createKratosClient(kratosAdminUrl: string, options: ClientOptions): IdentityApi {
  return new IdentityApi(configuration(kratosAdminUrl, options, options.pacers?.kratos));
}

function configuration(
  basePath: string,
  { token, timeoutMs }: ClientOptions,
  pacer?: CallPacer,
): Configuration {
  return new Configuration({
    basePath,
    ...given({ accessToken: token }),
    baseOptions: {
      // guard: no call waits for ever
      ...{ timeout: timeoutMs ?? 10_000, maxRedirects: 0, maxContentLength: 4_000_000 },
      ...(pacer && { adapter: pacedHttp(pacer) }),
    },
  });
}
