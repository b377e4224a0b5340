/** The identity that a command is about: by its UUID, or by its e-mail address for those who may read addresses. */
import { parseIdentityId } from '../domain/identity-id.js';
import { CliError, exitCodes, UsageError } from './exit-codes.js';
import type { GatewayCalls } from './gateway-calls.js';

export const identityParameter = '<identity>';

/** @throws UsageError, CliError; neither repeats an address */
export async function identityOf(gateway: GatewayCalls, text: string): Promise<string> {
  if (text.includes('@')) return byAddress(gateway, text);
  try {
    return parseIdentityId(text);
  } catch {
    throw new UsageError('identity: must be the UUID of a Kratos identity, or its e-mail address');
  }
}

async function byAddress(gateway: GatewayCalls, address: string): Promise<string> {
  const { identityIds } = await gateway.post<{ identityIds: string[] }>('/v1/identities/find', { address });
  const [id, ...others] = identityIds.map(parseIdentityId);
  if (id === undefined) {
    throw new CliError(
      'identity: Kratos knows none with this address. Look it up by its UUID',
      exitCodes.notFound,
    );
  }
  if (others.length === 0) return id;
  throw new UsageError(
    `identity: several have this address. Name one by its UUID: ${[id, ...others].join(', ')}`,
  );
}
