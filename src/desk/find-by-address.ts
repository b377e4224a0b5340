/** Finds an identity by what its person signs in with. The text is neither logged nor repeated. */
import { InvalidRequestError } from '../client.js';
import { findByAddress } from '../standings/find-routes.js';
import type { DeskContext } from './context.js';

/** @throws InvalidRequestError where there is none, or more than one; DormouseUnavailableError */
export async function findOneByAddress({ identities }: DeskContext, address: string): Promise<string> {
  if (identities === undefined) throw new InvalidRequestError('who: is not the UUID of an identity');
  const [one, another] = await findByAddress(identities, address);
  if (one === undefined) throw new InvalidRequestError('who: nobody signs in with this. Try the UUID');
  if (another === undefined) return one;
  throw new InvalidRequestError('who: several identities have this. Use the UUID of one');
}
