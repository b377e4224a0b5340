/**
 * The two addresses of the gateway: the public one for people, apps and hooks, and the operators' one. A route of one side is not found
 * at the other. Where both addresses are the same, one listener serves everything.
 */
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../config/listen-address.js';
import type { Logger } from '../process/logger.js';
import { createGateway, type GatewayOptions } from './server.js';

export interface Addresses {
  readonly public: ListenAddress;
  readonly operators: ListenAddress;
}

/** @returns ends all listeners, once their requests are answered */
export async function listen(
  options: Omit<GatewayOptions, 'side' | 'log'> & { readonly log: Logger },
  addresses: Addresses,
): Promise<() => Promise<void>> {
  const { log } = options;
  const isOne = isSame(addresses.public, addresses.operators);
  const sides = isOne ? (['both'] as const) : (['public', 'operators'] as const);
  const servers: FastifyInstance[] = [];
  const close = async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    const ready: Record<string, string> = {};
    for (const side of sides) {
      const server = await createGateway({ ...options, side });
      servers.push(server);
      ready[side === 'operators' ? 'operators' : 'address'] = await server.listen(
        side === 'operators' ? addresses.operators : addresses.public,
      );
    }
    log.info(ready, 'gateway ready');
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Port 0 takes a free one each time, so two of them are never the same. */
function isSame(one: ListenAddress, other: ListenAddress): boolean {
  return one.port !== 0 && one.port === other.port && one.host === other.host;
}
