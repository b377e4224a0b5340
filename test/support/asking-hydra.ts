/**
 * A Hydra that asks a gateway of the test's own before each token, on a database of its own. (The shared one asks nobody, so that other
 * tests get tokens without a gateway.) Kratos, Temporal and mails are the shared ones.
 */
import { Configuration, OAuth2Api } from '@ory/client';
import { inject } from 'vitest';
import { authorizeByCode, type OAuthClient, type Tokens } from '../../dev/demo/authorization-code-flow.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { readStackEnvironment } from '../../dev/stack/environment.js';
import { type RunningStack, type StackInfo, startStack } from '../../dev/stack/index.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import type { TokenHookOptions } from '../../src/tokens/http/hydra-token-hook.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { listenGateway, type TestGateway } from './gateway.js';

export interface HydraAnswer {
  readonly status: number;
  readonly error?: string;
  readonly refresh_token?: string;
}

export class AskingHydra {
  readonly people: OryPeople;
  readonly oauth2: OAuth2Api;

  private constructor(
    private readonly running: RunningStack,
    /** The gateway that Hydra asks now. */
    private asked: TestGateway,
  ) {
    this.people = new OryPeople(running.info);
    this.oauth2 = new OAuth2Api(new Configuration({ basePath: running.info.hydra.adminUrl }));
  }

  /** @param hook of the gateway. Default: who stands where decides, and nobody gets a token while that can't be read */
  static async begin(hook: Partial<TokenHookOptions> = {}): Promise<AskingHydra> {
    const { temporal, kratos, mail } = inject('stack');
    const running = await startStack(
      { dataDirectory: 'unused', ephemeral: true, worker: false, gateway: false, tokenHook: true },
      readStackEnvironment({
        ...process.env,
        DORMOUSE_TEMPORAL_ADDRESS: temporal.address,
        DORMOUSE_TEMPORAL_NAMESPACE: temporal.namespace,
        DORMOUSE_KRATOS_PUBLIC_URL: kratos.publicUrl,
        DORMOUSE_KRATOS_ADMIN_URL: kratos.adminUrl,
        DORMOUSE_SMTP_URL: mail.smtpUrl,
      }),
    );
    const { runtimeUrl, url } = running.info.postgres;
    await prepareDatabase({ url: runtimeUrl, migrationUrl: url });
    return new AskingHydra(running, await listen(running.info, hook));
  }

  get info(): StackInfo {
    return this.running.info;
  }

  get gateway(): TestGateway {
    return this.asked;
  }

  /** Puts another gateway in the place of the one that Hydra asks. */
  async ask(hook: Partial<TokenHookOptions>): Promise<void> {
    await this.asked.close();
    this.asked = await listen(this.info, hook);
  }

  /** @param grantTypes beside the authorization code */
  async createClient(grantTypes: readonly string[] = ['refresh_token']): Promise<OAuthClient> {
    const redirectUri = 'http://127.0.0.1:4455/callback';
    const { data } = await this.oauth2.createOAuth2Client({
      oAuth2Client: {
        grant_types: ['authorization_code', ...grantTypes],
        response_types: ['code'],
        scope: 'openid offline_access',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    });
    return { id: data.client_id ?? '', secret: data.client_secret ?? '', redirectUri };
  }

  /** Signs the identity in. @param onConsent gets the id of the login session */
  authorize(
    client: OAuthClient,
    identityId: string,
    onConsent?: (loginSessionId: string) => Promise<void>,
  ): Promise<Tokens> {
    return authorizeByCode(this.info.hydra.publicUrl, this.oauth2, client, identityId, onConsent);
  }

  /** Asks Hydra's token endpoint. */
  async askForToken(client: OAuthClient, grant: Record<string, string>): Promise<HydraAnswer> {
    const answer = await fetch(new URL('/oauth2/token', this.info.hydra.publicUrl), {
      method: 'POST',
      body: new URLSearchParams({ ...grant, client_id: client.id, client_secret: client.secret }),
    });
    const { refresh_token, error } = (await answer.json()) as Omit<HydraAnswer, 'status'>;
    return {
      status: answer.status,
      ...(refresh_token === undefined ? {} : { refresh_token }),
      ...(error === undefined ? {} : { error }),
    };
  }

  refresh(client: OAuthClient, refreshToken: string): Promise<HydraAnswer> {
    return this.askForToken(client, { grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  async end(): Promise<void> {
    await this.asked.close();
    await this.running.stop();
  }
}

async function listen(stack: StackInfo, hook: Partial<TokenHookOptions>): Promise<TestGateway> {
  const gateway: TestGateway = await listenGateway({
    stack,
    atStackUrl: true,
    more: {
      hooks: {
        hydra: {
          keys: [stack.gateway.hookKeys.hydra],
          readStanding: (identityId) => readTokenStanding(gateway.pool, identityId),
          onFailure: 'closed',
          ...hook,
        },
      },
    },
  });
  return gateway;
}
