/** A small OIDC issuer with the Device Authorization Grant (RFC 8628), which Hydra 2.3 lacks. It signs real access tokens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface DeviceIssuer {
  readonly issuer: string;
  /** Requests of the token endpoint, by grant type. */
  readonly grants: string[];
  /** Tokens that were revoked (RFC 7009), in the order of their requests. */
  readonly revoked: string[];
  /** How the revocation endpoint answers. */
  readonly revocation: { status: number };
  /** A person types the code and agrees, or refuses. @throws Error for a code that nobody was given */
  decide(userCode: string, decision: { readonly subject: string; readonly roles: string[] } | 'deny'): void;
  close(): Promise<void>;
}

interface Device {
  readonly userCode: string;
  readonly clientId: string;
  decision?: Parameters<DeviceIssuer['decide']>[1];
}

/** @param audience of its tokens. @param seconds how long an access token lives */
export async function startDeviceIssuer(audience: string, seconds: number): Promise<DeviceIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }] };
  const devices = new Map<string, Device>();
  const refreshTokens = new Map<string, { subject: string; roles: string[]; clientId: string }>();
  const grants: string[] = [];
  const revoked: string[] = [];
  const revocation = { status: 200 };
  let count = 0;
  const next = () => {
    count += 1;
    return count;
  };
  let issuer = '';

  async function granted(to: { subject: string; roles: string[]; clientId: string }) {
    const now = Math.floor(Date.now() / 1_000);
    const refresh = `refresh-${next()}`;
    refreshTokens.set(refresh, to);
    const token = await new SignJWT({ roles: to.roles, client_id: to.clientId })
      .setProtectedHeader({ alg: 'ES256', kid: '1', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setSubject(to.subject)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .setJti(refresh)
      .sign(privateKey);
    const body = { access_token: token, token_type: 'bearer', expires_in: seconds, refresh_token: refresh };
    return { status: 200, body };
  }

  async function token(form: URLSearchParams): Promise<{ status: number; body: object }> {
    const grant = form.get('grant_type') ?? '';
    grants.push(grant);
    const refused = (error: string) => ({ status: 400, body: { error } });
    if (grant === 'refresh_token') {
      const used = form.get('refresh_token') ?? '';
      const to = refreshTokens.get(used);
      // Each is taken once.
      refreshTokens.delete(used);
      return to === undefined ? refused('invalid_grant') : granted(to);
    }
    const device = devices.get(form.get('device_code') ?? '');
    if (device === undefined) return refused('invalid_grant');
    if (device.decision === undefined) return refused('authorization_pending');
    if (device.decision === 'deny') return refused('access_denied');
    return granted({ ...device.decision, clientId: device.clientId });
  }

  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const form = new URLSearchParams(text);
    const answer = async (): Promise<{ status: number; body: object }> => {
      switch (request.url) {
        case '/.well-known/openid-configuration':
          return {
            status: 200,
            body: {
              ...{ issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` },
              device_authorization_endpoint: `${issuer}/device`,
              revocation_endpoint: `${issuer}/revoke`,
            },
          };
        case '/jwks':
          return { status: 200, body: keys };
        case '/device': {
          const nth = next();
          const code = `device-${nth}`;
          const userCode = `CODE-${nth}`;
          devices.set(code, { userCode, clientId: form.get('client_id') ?? '' });
          const verification_uri = `${issuer}/activate`;
          const body = {
            device_code: code,
            user_code: userCode,
            verification_uri,
            expires_in: 60,
            interval: 1,
          };
          return { status: 200, body };
        }
        case '/token':
          return token(form);
        case '/revoke':
          revoked.push(form.get('token') ?? '');
          return { status: revocation.status, body: {} };
        default:
          return { status: 404, body: {} };
      }
    };
    const { status, body } = await answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    ...{ grants, revoked, revocation },
    decide(userCode, decision) {
      const device = [...devices.values()].find((one) => one.userCode === userCode);
      if (device === undefined) throw new Error(`nobody was given ${userCode}`);
      device.decision = decision;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
