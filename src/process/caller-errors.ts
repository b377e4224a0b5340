/** The errors that a caller of the client can get, typed by who must act. */

/** Temporal, PostgreSQL or the gateway did not answer in time. The operator's trouble, not the caller's; nothing was refused. */
export class DormouseUnavailableError extends Error {
  override readonly name = 'DormouseUnavailableError';
  constructor(
    readonly system: 'Temporal' | 'PostgreSQL' | 'Kratos' | 'The gateway',
    options?: ErrorOptions,
  ) {
    super(
      `${system} did not answer in time. Check that it runs and can be reached; the call may be repeated.`,
      options,
    );
  }
}

/** The request is invalid. The message names the field, its problem and the way out. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}

/** The lifecycle is just ending, so it takes no request any more. */
export class LifecycleEndedError extends InvalidRequestError {}

/**
 * No lifecycle runs for this identity: it was never enrolled, or it was deleted. Both get the same answer.
 */
export class NotEnrolledError extends Error {
  override readonly name = 'NotEnrolledError';
  constructor() {
    super(
      'no lifecycle runs for this identity. Enrol it first, or look into the audit log if it was deleted.',
    );
  }
}

/** The gateway does not take the token, or the token lacks the scope of the call. */
export class NotAuthorizedError extends Error {
  override readonly name = 'NotAuthorizedError';
  constructor() {
    super(
      'token: the gateway does not take it, or it lacks the scope of this call. Pass a credential that has it, or one of the values of DORMOUSE_SERVICE_TOKENS.',
    );
  }
}
