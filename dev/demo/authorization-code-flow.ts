/**
 * The OAuth 2.0 authorization-code flow against a real Hydra, with its login and
 * consent steps accepted as an admin.
 */
import { randomBytes } from 'node:crypto';
import type { OAuth2Api } from '@ory/client';
import { given } from '../../src/domain/given.js';

export interface OAuthClient {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A user agent that keeps cookies and stops at each redirect. */
export class Browser {
  private readonly cookies = new Map<string, string>();

  /** @returns the target of the redirect */
  async follow(url: string): Promise<URL> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1);
      const separator = pair.indexOf('=');
      this.cookies.set(pair.slice(0, separator), pair.slice(separator + 1));
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`Hydra answered ${answer.status} instead of redirecting`);
    return new URL(location, url);
  }
}

export function parameter(url: URL, name: string): string {
  const value = url.searchParams.get(name);
  if (value !== null) return value;
  throw new Error(`Hydra redirected without ${name} (${url.searchParams.get('error') ?? 'no error given'})`);
}

const scope = ['openid', 'offline_access'];

/**
 * @param subject the identity that signs in and consents
 * @param onConsent what a consent page does before it accepts
 * @param audience the API that the access token is for; without it Hydra names none
 */
export async function authorizeByCode(
  hydraPublicUrl: string,
  admin: OAuth2Api,
  client: OAuthClient,
  subject: string,
  onConsent?: (loginSessionId: string) => Promise<void>,
  audience?: string,
): Promise<Tokens> {
  const browser = new Browser();
  const start = new URL('/oauth2/auth', hydraPublicUrl);
  start.search = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    scope: scope.join(' '),
    redirect_uri: client.redirectUri,
    state: randomBytes(16).toString('hex'),
    ...given({ audience }),
  }).toString();

  const loginChallenge = parameter(await browser.follow(start.href), 'login_challenge');
  const { data: login } = await admin.acceptOAuth2LoginRequest({
    loginChallenge,
    acceptOAuth2LoginRequest: { subject, remember: true, remember_for: 0 },
  });
  const consentChallenge = parameter(await browser.follow(login.redirect_to), 'consent_challenge');
  if (onConsent !== undefined) {
    const { data: asked } = await admin.getOAuth2ConsentRequest({ consentChallenge });
    await onConsent(asked.login_session_id ?? '');
  }
  const { data: consent } = await admin.acceptOAuth2ConsentRequest({
    consentChallenge,
    acceptOAuth2ConsentRequest: {
      grant_scope: scope,
      grant_access_token_audience: audience === undefined ? [] : [audience],
      remember: true,
      remember_for: 0,
    },
  });
  const code = parameter(await browser.follow(consent.redirect_to), 'code');
  return requestTokens(hydraPublicUrl, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
  });
}

async function requestTokens(
  hydraPublicUrl: string,
  client: OAuthClient,
  grant: Record<string, string>,
): Promise<Tokens> {
  const answer = await fetch(new URL('/oauth2/token', hydraPublicUrl), {
    method: 'POST',
    body: new URLSearchParams({ ...grant, client_id: client.id, client_secret: client.secret }),
  });
  const body = (await answer.json()) as { access_token?: string; refresh_token?: string };
  if (body.access_token === undefined || body.refresh_token === undefined) {
    throw new Error(`Hydra answered ${answer.status} without tokens`);
  }
  return { accessToken: body.access_token, refreshToken: body.refresh_token };
}
