/** A client in front of real workers on a queue of their own, and a policy under which nothing happens meanwhile. */
import type { EngineDormouse } from '../../../src/client/engine.js';
import { fresh, slowPolicy } from '../system-outside.js';
import type { Harness } from './harness.js';
import { openHarness } from './open.js';

export interface ClientHarness {
  readonly harness: Harness;
  readonly dormouse: EngineDormouse;
  readonly policyId: string;
}

/** @param policy text of the policy under which identities are enrolled, by its id */
export async function openClientHarness(policy: (id: string) => string = slowPolicy): Promise<ClientHarness> {
  const harness = await openHarness();
  const taskQueue = await harness.startWorkers();
  const { id: policyId } = await harness.publish(policy(fresh('slow')));
  return { harness, dormouse: harness.createClient({ taskQueue, policyId }), policyId };
}
