/** Hydra's authorization code flow, with a browser and a sign-in page that agree to everything. */
import { Configuration, OAuth2Api } from '@ory/client';
import { z } from 'zod';

export interface AuthorizationCodeOptions {
  publicUrl: string;
  adminUrl: string;
  subject: string;
  /** Where an address of Hydra is reached; default: as it is. */
  reach?: (url: string) => string;
}

const redirectUri = 'http://127.0.0.1:4455/callback';
const tokensSchema = z.object({ access_token: z.string(), refresh_token: z.string() });

/** Signs the subject in at a new client and takes the tokens. */
export async function obtainTokens(options: AuthorizationCodeOptions): Promise<z.infer<typeof tokensSchema>> {
  const admin = new OAuth2Api(new Configuration({ basePath: options.adminUrl }));
  const { data: client } = await admin.createOAuth2Client({
    oAuth2Client: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid offline_access',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
    },
  });
  const credentials = { client_id: client.client_id ?? '', client_secret: client.client_secret ?? '' };
  const browser = createBrowser(options.reach);
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: credentials.client_id,
    redirect_uri: redirectUri,
    scope: 'openid offline_access',
    state: 'a-state-that-is-long-enough',
  });
  const login = await browser.follow(`${options.publicUrl}/oauth2/auth?${query}`);
  const { data: loggedIn } = await admin.acceptOAuth2LoginRequest({
    loginChallenge: parameter(login, 'login_challenge'),
    acceptOAuth2LoginRequest: { subject: options.subject },
  });
  const consent = await browser.follow(loggedIn.redirect_to);
  const { data: consented } = await admin.acceptOAuth2ConsentRequest({
    consentChallenge: parameter(consent, 'consent_challenge'),
    acceptOAuth2ConsentRequest: { grant_scope: ['openid', 'offline_access'] },
  });
  const callback = await browser.follow(consented.redirect_to);
  const response = await fetch(`${options.publicUrl}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...credentials,
      grant_type: 'authorization_code',
      code: parameter(callback, 'code'),
      redirect_uri: redirectUri,
    }),
  });
  return tokensSchema.parse(await response.json());
}

/** Just enough of a browser: keeps cookies and tells where a redirect leads. */
function createBrowser(reach = (url: string) => url) {
  const cookies = new Map<string, string>();
  return {
    async follow(url: string): Promise<string> {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(reach(url), { redirect: 'manual', headers: { cookie } });
      for (const header of response.headers.getSetCookie()) {
        const [name, value] = (header.split(';')[0] ?? '').split(/=(.*)/s);
        if (name !== undefined) cookies.set(name, value ?? '');
      }
      return response.headers.get('location') ?? `no redirect: ${response.status} ${await response.text()}`;
    },
  };
}

function parameter(url: string, name: string): string {
  const value = URL.canParse(url) ? new URL(url).searchParams.get(name) : null;
  if (value === null) throw new Error(`There is no ${name} in ${url}`);
  return value;
}
