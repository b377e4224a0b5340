/** The wire to PostgreSQL: cut before chosen statements, or after them (their commit included), before the answer comes. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { CallBook } from './call-book.js';

export const postgresFaults = ['cut before', 'cut after commit'] as const;

export interface PostgresWire {
  /** The same database behind the wire. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startPostgresWire(databaseUrl: string, book: CallBook): Promise<PostgresWire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    let about: string | undefined;
    near.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      const named = book.idIn(text);
      const isCommit = text.includes('COMMIT');
      about = named ?? about;
      const id = named ?? (isCommit ? about : undefined);
      const fault =
        id === undefined ? undefined : book.touch(id, 'postgres', isCommit ? 'COMMIT' : 'statement');
      if (isCommit) about = undefined;
      if (fault === 'cut before') {
        near.destroy();
        return;
      }
      if (fault !== undefined) {
        far.unpipe(near);
        far.once('data', () => near.destroy()).resume();
      }
      far.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
