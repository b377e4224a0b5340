/** Answers Kratos' list of identities by their ids, for the people of the benchmark. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { indexOf, kratosAnswer } from './people.js';

export interface AnsweringKratos {
  readonly url: string;
  requests(): number;
  close(): Promise<void>;
}

export async function startKratos(now: number): Promise<AnsweringKratos> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const ids = new URL(request.url ?? '/', 'http://kratos').searchParams
      .getAll('ids')
      .flatMap((one) => one.split(','));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(ids.map((id) => kratosAnswer(indexOf(id), now))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
