/** The failures of a verification, without credential, address or answer: they end in an app's log. */
import { isAxiosError } from 'axios';

/** Whoever should have verified the credential did not answer, or not so that it could be understood. */
export class VerificationUnavailableError extends Error {
  override readonly name = 'VerificationUnavailableError';
  constructor(
    readonly system: 'Kratos' | 'Hydra' | 'JWKS',
    why: string,
  ) {
    super(
      `${system} could not verify a credential: ${why}. The request was served; its activity is not noted.`,
    );
  }
}

/** `ECONNREFUSED` and the like; an axios error itself would carry the request with its credential. */
export function unavailable(system: 'Kratos' | 'Hydra', error: unknown): VerificationUnavailableError {
  const code = isAxiosError(error) ? error.code : undefined;
  return new VerificationUnavailableError(system, code ?? 'no answer');
}
