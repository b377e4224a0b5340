/** Finds an identity by what its person signs in with. The text is neither logged nor repeated. */
import { z } from 'zod';
import { DormouseUnavailableError, InvalidRequestError } from '../client.js';
import { callOry } from '../ory/call.js';
import type { DeskContext } from './context.js';

const found = z.array(z.object({ id: z.guid() }));

/** @throws InvalidRequestError where there is none, or more than one */
export async function findByAddress({ identities }: DeskContext, address: string): Promise<string> {
  if (identities === undefined) throw new InvalidRequestError('who: is not the UUID of an identity');
  const answer = await callOry<unknown>('Kratos', 'listIdentities', () =>
    identities.listIdentities({ credentialsIdentifier: address }),
  ).catch((cause: unknown) => {
    throw new DormouseUnavailableError('Kratos', { cause });
  });
  const { data = [] } = found.safeParse(answer ?? []);
  const [one] = data;
  if (data.length === 1 && one !== undefined) return one.id;
  throw new InvalidRequestError(
    data.length === 0
      ? 'who: nobody signs in with this. Try the UUID'
      : 'who: several identities have this. Use the UUID of one',
  );
}
