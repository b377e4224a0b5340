/**
 * The failures of a verification, without credential, address or response body: they end up in an app's log.
 */
import { isAxiosError } from 'axios';

/** The verifying server did not answer, or its answer could not be understood. */
export class VerificationUnavailableError extends Error {
  override readonly name = 'VerificationUnavailableError';
  constructor(
    readonly system: 'Kratos' | 'Hydra' | 'JWKS',
    why: string,
  ) {
    super(
      `${system} could not verify a credential: ${why}. The request was served; its sign of life is not noted.`,
    );
  }
}

/** `ECONNREFUSED` and the like. An axios error itself would contain the request with its credential. */
export function unavailable(system: 'Hydra', error: unknown): VerificationUnavailableError {
  const code = isAxiosError(error) ? error.code : undefined;
  return new VerificationUnavailableError(system, code ?? 'no answer');
}
