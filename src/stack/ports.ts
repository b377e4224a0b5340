/** Free TCP ports on the loopback address. Node only. */
import { createServer, type Server } from 'node:net';
import { codeOf } from './errors.js';

/** All parts of the stack listen here and nowhere else. */
export const loopbackHost = '127.0.0.1';

/** Ports that this process gave away; a port is free again for others only when its stack is stopped. */
const reserved = new Set<number>();

export interface PortReservation<Name extends string> {
  ports: Record<Name, number>;
  /** Lets other stacks of this process have the ports. */
  release(): void;
}

/**
 * Picks a port for each name: the preferred one where it is free, else any free one. All are held open until the last
 * is picked, so they differ.
 * @param preferred the preferred port per name; 0 takes any.
 */
export async function reservePorts<Name extends string>(
  preferred: Record<Name, number>,
): Promise<PortReservation<Name>> {
  const servers: Server[] = [];
  const ports = { ...preferred };
  try {
    for (const name of Object.keys(preferred) as Name[]) {
      const server = (await listen(preferred[name])) ?? (await listenAnywhere());
      servers.push(server);
      const port = portOf(server);
      reserved.add(port);
      ports[name] = port;
    }
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
  return {
    ports,
    release() {
      for (const name of Object.keys(ports) as Name[]) reserved.delete(ports[name]);
    },
  };
}

async function listenAnywhere(): Promise<Server> {
  for (;;) {
    const server = await listen(0);
    if (server !== undefined) return server;
  }
}

/** Listens on a port, or yields `undefined` where it is taken. */
async function listen(port: number): Promise<Server | undefined> {
  if (port !== 0 && reserved.has(port)) return undefined;
  const server = createServer();
  const opened = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error) => {
      const taken = codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES';
      if (taken && port !== 0) resolve(false);
      else reject(error);
    });
    server.listen(port, loopbackHost, () => resolve(true));
  });
  if (!opened) return undefined;
  if (!reserved.has(portOf(server))) return server;
  await new Promise((resolve) => server.close(resolve));
  return undefined;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}
