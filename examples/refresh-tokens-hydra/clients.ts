/** The two clients of the example at Hydra: a phone that stays signed in, and a single-page app that has only sliding access. */
import { randomBytes } from 'node:crypto';
import type { OAuth2Api } from '@ory/client';

export const clientIds = ['example-phone', 'example-spa'] as const;
export type ClientId = (typeof clientIds)[number];

export interface Client {
  readonly id: ClientId;
  readonly secret: string;
  readonly redirectUri: string;
}

/**
 * Makes them, or sets them anew. Both may ask for a refresh token: that the single-page app gets no use of it is decided by the policy,
 * at Hydra's token hook.
 */
export async function setClients(oauth2: OAuth2Api, url: string): Promise<readonly Client[]> {
  return Promise.all(
    clientIds.map(async (id) => {
      const client = {
        id,
        secret: randomBytes(24).toString('base64url'),
        redirectUri: `${url}/callback/${id}`,
      };
      const oAuth2Client = {
        client_id: id,
        client_secret: client.secret,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: 'openid offline_access',
        redirect_uris: [client.redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
        // The guard refuses longer ones in the sliding mode.
        ...(id === 'example-spa' && { authorization_code_grant_access_token_lifespan: '15m' }),
      };
      const { status } = await oauth2.createOAuth2Client(
        { oAuth2Client },
        { validateStatus: (code) => code === 201 || code === 409 },
      );
      if (status === 409) await oauth2.setOAuth2Client({ id, oAuth2Client });
      return client;
    }),
  );
}
