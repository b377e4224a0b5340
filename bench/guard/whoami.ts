/** Answers whoami as Kratos does, for as many sessions as a benchmark wants: what is measured is the guard, and no Kratos. */
import { createServer } from 'node:http';
import { v4Of } from '../activity/identities.js';

export interface Whoami {
  readonly url: string;
  close(): void;
}

/** @returns the credential of a session */
export const tokenOf = (index: number): string => `bench-${index}`;

export async function startWhoami(): Promise<Whoami> {
  const authenticatedAt = new Date().toISOString();
  const server = createServer((request, response) => {
    const index = Number(String(request.headers['x-session-token']).slice('bench-'.length));
    const session = {
      id: v4Of(1_000_000 + index),
      active: true,
      authenticated_at: authenticatedAt,
      authenticator_assurance_level: 'aal1',
      authentication_methods: [{ method: 'password', aal: 'aal1', completed_at: authenticatedAt }],
      identity: { id: v4Of(index), state: 'active', traits: {} },
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
