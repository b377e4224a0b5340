/** The client for programs inside the trust boundary: straight to Temporal and PostgreSQL. Every call is bounded in time. */
import { DirectClient } from './direct-client.js';
import type { DirectDormouse } from './direct-types.js';
import type { DirectOptions } from './types.js';

export type { DirectDormouse } from './direct-types.js';
export type { DirectOptions } from './types.js';

/** Opens a client. Connections are made when they are needed, so this neither waits nor fails when Temporal is away. */
export function createDormouse(options: DirectOptions): DirectDormouse {
  return new DirectClient(options);
}
