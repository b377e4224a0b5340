/** Calls Ory's APIs, and turns their failures into step errors with stable types and no personal data. */
import { isAxiosError } from 'axios';
import { giveUp, StepError, tryAgain, tryOneAgain } from '../process/step-error.js';
import { retryAfterMs } from './retry-after.js';

/**
 * Calls an Ory API and classifies failures by status only: bodies of answers may hold personal data.
 * @param operation the API's name of the call, for messages
 * @returns the answer, or `undefined` when Ory itself answered 404; a proxy's 404
 * says nothing about an identity
 */
export async function callOry<T>(
  system: 'Kratos' | 'Hydra',
  operation: string,
  call: () => Promise<{ data: T }>,
): Promise<T | undefined> {
  try {
    const { data } = await call();
    return data;
  } catch (error) {
    if (!isAxiosError(error)) throw error;
    const status = error.response?.status;
    if (status === 404) {
      // guard: a 404 that is not Kratos' own is no absence
      if (isOrysOwn(error.response?.data)) return undefined;
      throw tryAgain(
        `${system}MalformedAnswer`,
        `${operation} was answered 404 by something that is not ${system}`,
      );
    }
    // The answer for other records may be smaller.
    if (error.message.startsWith('maxContentLength')) {
      throw tryOneAgain(
        `${system}AnswerTooLarge`,
        `${operation} was answered with more than can be taken in`,
      );
    }
    // An error with a success status means that the answer broke off: nothing was refused.
    // guard: an answer that breaks off is tried again, not taken for a refusal
    if (status === undefined || status < 300) {
      throw tryAgain(`${system}Unavailable`, `${operation} got no answer (${error.code ?? 'no code'})`);
    }
    const message = `${operation} was answered ${status}`;
    const afterMs = retryAfterMs(error.response?.headers['retry-after']);
    if (status === 429) throw tryAgain(`${system}Busy`, message, afterMs);
    if (status === 503) throw tryAgain(`${system}Failed`, message, afterMs);
    if (status === 401 || status === 403) throw tryAgain(`${system}Unauthorized`, message);
    if (status === 409 || status >= 500) throw tryAgain(`${system}Failed`, message);
    throw giveUp(`${system}Refused`, message, status);
  }
}

/** Ory's errors are JSON with an `error`. */
function isOrysOwn(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body;
}

/**
 * Whether Kratos itself rejected the identity. Other refusals (405, 413, a
 * redirect) come from a proxy in between.
 */
export function isRefusedAsUnfit(error: unknown): boolean {
  return error instanceof StepError && error.type === 'KratosRefused' && error.status === 400;
}
