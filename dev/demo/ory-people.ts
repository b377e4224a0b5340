/**
 * Creates people in Kratos, signs them in for real, and gets them real tokens from
 * Hydra. For the demo and the tests.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { Configuration, FrontendApi, IdentityApi, OAuth2Api } from '@ory/client';
import { given } from '../../src/domain/given.js';
import { authorizeByCode, type OAuthClient, type Tokens } from './authorization-code-flow.js';

export interface OryUrls {
  readonly kratos: { readonly publicUrl: string; readonly adminUrl: string };
  readonly hydra: { readonly publicUrl: string; readonly adminUrl: string };
}

export interface PersonOptions {
  /** False for an identity that signs in by user name and has no mail address. */
  readonly hasAddress?: boolean;
  readonly traits?: Record<string, string>;
  readonly metadataAdmin?: object;
}

export interface Person {
  readonly id: string;
  /** What they type at sign-in: address or user name. */
  readonly identifier: string;
  readonly password: string;
  readonly email: string | undefined;
}

export interface SignIn {
  readonly sessionToken: string;
  readonly sessionId: string;
}

/** Kratos and Hydra from the side of a person and of an admin. */
export class OryPeople {
  readonly identities: IdentityApi;
  readonly oauth2: OAuth2Api;
  private readonly frontend: FrontendApi;
  private client: Promise<OAuthClient> | undefined;

  constructor(private readonly urls: OryUrls) {
    this.identities = new IdentityApi(new Configuration({ basePath: urls.kratos.adminUrl }));
    this.oauth2 = new OAuth2Api(new Configuration({ basePath: urls.hydra.adminUrl }));
    this.frontend = new FrontendApi(new Configuration({ basePath: urls.kratos.publicUrl }));
  }

  async create(name: string, options: PersonOptions = {}): Promise<Person> {
    const password = randomBytes(18).toString('base64url');
    const unique = `${name}-${randomUUID().slice(0, 8)}`;
    const email = options.hasAddress === false ? undefined : `${unique}@example.com`;
    const identifier = email ?? unique;
    const { data } = await this.identities.createIdentity({
      createIdentityBody: {
        schema_id: email === undefined ? 'username' : 'person',
        traits: { ...(email === undefined ? { username: unique } : { email }), ...options.traits },
        credentials: { password: { config: { password } } },
        ...given({ metadata_admin: options.metadataAdmin }),
      },
    });
    return { id: data.id, identifier, password, email };
  }

  /** Signs in by password. @returns `undefined` when Kratos refuses */
  async signIn(person: Person): Promise<SignIn | undefined> {
    const { data: flow } = await this.frontend.createNativeLoginFlow();
    const answer = await this.frontend.updateLoginFlow(
      {
        flow: flow.id,
        updateLoginFlowBody: { method: 'password', identifier: person.identifier, password: person.password },
      },
      { validateStatus: () => true },
    );
    const { session_token: sessionToken, session } = answer.data;
    if (answer.status !== 200 || sessionToken === undefined) return undefined;
    return { sessionToken, sessionId: session.id };
  }

  /** Signs in again by password within a session (`refresh`). Kratos keeps the session and its token. */
  async reauthenticate(person: Person, { sessionToken }: SignIn): Promise<void> {
    const { data: flow } = await this.frontend.createNativeLoginFlow({
      refresh: true,
      xSessionToken: sessionToken,
    });
    await this.frontend.updateLoginFlow({
      flow: flow.id,
      xSessionToken: sessionToken,
      updateLoginFlowBody: { method: 'password', identifier: person.identifier, password: person.password },
    });
  }

  /** Whether the session is still valid, as an app would check it (whoami). */
  async isSignedIn(signIn: SignIn): Promise<boolean> {
    const answer = await this.frontend.toSession(
      { xSessionToken: signIn.sessionToken },
      { validateStatus: () => true },
    );
    return answer.status === 200 && answer.data.active === true;
  }

  /** The stage that an app sees in whoami. */
  async stageInWhoami(signIn: SignIn): Promise<string | undefined> {
    const { data } = await this.frontend.toSession({ xSessionToken: signIn.sessionToken });
    const metadata: unknown = data.identity?.metadata_public;
    return stageIn(metadata);
  }

  /** Runs the authorization-code flow. Login and consent are accepted over the admin API. */
  async authorize(person: Person): Promise<Tokens> {
    this.client ??= this.registerClient();
    return authorizeByCode(this.urls.hydra.publicUrl, this.oauth2, await this.client, person.id);
  }

  /** Introspection (RFC 7662). */
  async isTokenActive(token: string): Promise<boolean> {
    const { data } = await this.oauth2.introspectOAuth2Token({ token });
    return data.active;
  }

  private async registerClient(): Promise<OAuthClient> {
    const redirectUri = 'http://127.0.0.1:4455/callback';
    const { data } = await this.oauth2.createOAuth2Client({
      oAuth2Client: {
        client_name: 'Dormouse demo app',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: 'openid offline_access',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    });
    if (data.client_id === undefined || data.client_secret === undefined)
      throw new Error('Hydra made no client');
    return { id: data.client_id, secret: data.client_secret, redirectUri };
  }
}

/** Reads `metadata_public.dormouse.stage`. */
export function stageIn(metadata: unknown): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('dormouse' in metadata)) return undefined;
  const { dormouse } = metadata;
  if (typeof dormouse !== 'object' || dormouse === null || !('stage' in dormouse)) return undefined;
  return typeof dormouse.stage === 'string' ? dormouse.stage : undefined;
}
