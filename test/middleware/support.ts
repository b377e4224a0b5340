/** A client that only remembers what it was told, and a key set that a test serves. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { ActivityReport } from '../../src/client.js';

export interface Noted extends ActivityReport {
  readonly identityId: string;
}

export function noteTaker() {
  const noted: Noted[] = [];
  return {
    noted,
    ids: () => noted.map(({ identityId }) => identityId),
    noteActivity(identityId: string, report: ActivityReport = {}) {
      noted.push({ identityId, ...report });
    },
  };
}

export interface Served {
  readonly url: string;
  readonly requests: () => number;
  close(): Promise<void>;
}

/** Serves on a free port of this machine. */
export async function serve(answer: (server: Server) => void): Promise<Served> {
  let requests = 0;
  const server = createServer();
  server.on('request', () => {
    requests += 1;
  });
  answer(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}

/** An issuer's key, and the key set as it publishes it. */
export async function issuerKey(alg: 'RS256' | 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: `test-${alg}`, alg, use: 'sig' };
  return { privateKey, jwk, kid: `test-${alg}`, alg };
}
