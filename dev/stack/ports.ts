/** Free TCP ports on the loopback address. Node only. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './errors.js';
import { type FileLock, tryLock } from './file-lock.js';

/** All parts of the stack listen only here. */
export const loopbackHost = '127.0.0.1';
/** Where an app's own pages for signing in would be, for Kratos and Hydra. */
export const applicationUrl = `http://${loopbackHost}:4455`;

/**
 * No server listens on a picked port yet. Until its stack is stopped, no other process of this user picks it.
 */
const locksFolder = join(tmpdir(), `dormouse-ports-${userInfo().uid}`);

interface Picked {
  readonly server: Server;
  readonly port: number;
  readonly lock: FileLock;
}

export interface PortReservation<Name extends string> {
  ports: Record<Name, number>;
  /** Frees the ports for other stacks. */
  release(): Promise<void>;
}

/**
 * Picks a port for each name: the preferred one where it is free, else any free one. All are held open until
 * the last is picked, so they differ.
 * @param preferred the preferred port per name; 0 takes any.
 */
export async function reservePorts<Name extends string>(
  preferred: Record<Name, number>,
): Promise<PortReservation<Name>> {
  const picked: Picked[] = [];
  const ports = { ...preferred };
  try {
    for (const name of Object.keys(preferred) as Name[]) {
      const wanted = preferred[name];
      // The system's own choice for 0 is not used, because it is a port of outgoing connections.
      const one = (wanted === 0 ? undefined : await pick(wanted)) ?? (await pickAny());
      picked.push(one);
      ports[name] = one.port;
    }
  } finally {
    await Promise.all(picked.map(({ server }) => close(server)));
  }
  return {
    ports,
    async release() {
      for (const { lock } of picked) await lock.release();
    },
  };
}

/**
 * Below the ports of outgoing connections (Linux: from 32768, others: from 49152). Any connection could take
 * one of those before its server listens, or while the server restarts.
 */
const anyFrom = 10_000;
const anyBelow = 32_768;

async function pickAny(): Promise<Picked> {
  for (;;) {
    const picked = await pick(randomInt(anyFrom, anyBelow));
    if (picked !== undefined) return picked;
  }
}

/** Listens on a port and claims it, or returns `undefined` where it is taken. */
async function pick(wanted: number): Promise<Picked | undefined> {
  const server = await listen(wanted);
  if (server === undefined) return undefined;
  const port = portOf(server);
  const attempt = await tryLock(join(locksFolder, String(port)));
  if ('lock' in attempt) return { server, port, lock: attempt.lock };
  await close(server);
  return undefined;
}

const close = (server: Server) => new Promise((resolve) => server.close(resolve));

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  const opened = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error) => {
      const taken = codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES';
      if (taken) resolve(false);
      else reject(error);
    });
    server.listen(port, loopbackHost, () => resolve(true));
  });
  return opened ? server : undefined;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}
