/**
 * The client: what an app adds to tell Dormouse who is alive and to ask where somebody stands. It speaks HTTP to the gateway
 * and needs nothing else. Every call is bounded in time; an app's request never hangs because of Dormouse.
 *
 * @example
 * ```ts
 * const dormouse = createDormouse({ gateway: { url: 'https://dormouse.example', token }, whenUnavailable: 'drop' });
 * dormouse.noteActivity(session.identity.id, { source: 'web' }); // returns at once
 * if ((await dormouse.standing(session.identity.id))?.stage === 'suspended') showReadOnlyBanner();
 * ```
 */
import { GatewayClient } from './client/gateway-client.js';
import type { Dormouse, DormouseOptions } from './client/types.js';

export type * from './client/types.js';
export type { PublicStanding as Standing } from './client/types.js';
export type { Exemption, ExemptionKind } from './domain/exemption.js';
export { InvalidIdentityIdError } from './domain/identity-id.js';
export type { HoldChoice, HoldKind } from './domain/lifecycle/holds.js';
export type { SignKind as ActivityKind } from './domain/sign-of-life.js';
export {
  DormouseUnavailableError,
  InvalidRequestError,
  NotAuthorizedError,
  NotEnrolledError,
} from './process/caller-errors.js';
export type { WorkItem, WorkKind } from './worklist/rules.js';

/**
 * Opens a client. Nothing is asked of the gateway before the first call, so this neither waits nor fails while it is away.
 * @throws InvalidRequestError where an option makes no sense
 */
export function createDormouse(options: DormouseOptions): Dormouse {
  return new GatewayClient(options);
}
