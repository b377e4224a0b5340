/** An issuer of tokens of the benchmark's own, so that verifying costs what it costs an app, and no server is measured. */
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JwksOptions } from '../../src/middleware/options.js';

export interface Issuer {
  readonly tokens: JwksOptions;
  /** @returns a token each for these identities, by identity */
  sign(ids: ReadonlySet<string>): Promise<Map<string, string>>;
  close(): void;
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const key = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA', use: 'sig' };
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [key] })));
  const url = await listen(server);
  const [issuer, audience] = ['https://issuer.example', 'bench'];
  const signOne = (id: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA', kid: 'bench' })
      .setSubject(id)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  return {
    tokens: { jwks: { url, issuer, audience } },
    async sign(ids) {
      const signed = new Map<string, string>();
      for (const id of ids) signed.set(id, await signOne(id));
      return signed;
    },
    close: () => void server.close(),
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      resolve(`http://127.0.0.1:${port}/jwks.json`);
    });
  });
}
