/** The Ory admin clients, with bounded waits. */
import { Configuration, IdentityApi, OAuth2Api } from '@ory/client';

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

export function createOryClients(options: OryOptions): OryClients {
  const configure = (basePath: string) =>
    new Configuration({
      basePath,
      ...(options.token === undefined ? {} : { accessToken: options.token }),
      baseOptions: { timeout: options.timeoutMs ?? 10_000, maxRedirects: 0, maxContentLength: 4_000_000 },
    });
  return {
    identities: new IdentityApi(configure(options.kratosAdminUrl)),
    oauth2: new OAuth2Api(configure(options.hydraAdminUrl)),
  };
}
