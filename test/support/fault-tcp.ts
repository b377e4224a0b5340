/** Faults below HTTP: a port where nobody listens, one that never answers, and a wire that can be frozen. Node only. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** @returns a port of the loopback address where nobody listens */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface TcpFixture {
  readonly port: number;
  close(): Promise<void>;
}

/** Accepts connections and never says a word. */
export async function startSilentServer(): Promise<TcpFixture> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => track(sockets, socket.resume()));
  return { port: await listen(server), close: () => end(server, sockets) };
}

export interface FreezableWire extends TcpFixture {
  /** From now on nothing passes, in either direction and on new connections too, and neither side gets an error. */
  freeze(): void;
  /** New connections pass again; those that were there stay dead, as after a fail-over. */
  replace(): void;
}

/** Passes connections on to a server until it is frozen. */
export async function startWire(target: { host: string; port: number }): Promise<FreezableWire> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((near) => {
    track(sockets, near);
    if (frozen) return;
    const far = connect(target);
    track(sockets, far);
    near.pipe(far);
    far.pipe(near);
  });
  return {
    port: await listen(server),
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    replace() {
      frozen = false;
    },
    close: () => end(server, sockets),
  };
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function end(server: Server, sockets: Set<Socket>): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
