/** The name of an identity and of its workflow. Pure; the only place that builds a workflow ID. */

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Thrown for a text that is not a Kratos identity ID. The message does not repeat the
 * text: it may be an e-mail address.
 */
export class InvalidIdentityIdError extends Error {
  override readonly name = 'InvalidIdentityIdError';
  constructor() {
    super(
      'identityId is not a UUID. Pass the id of the Kratos identity (session.identity.id), never an e-mail address.',
    );
  }
}

/** @returns the UUID in lower case. @throws InvalidIdentityIdError */
export function parseIdentityId(text: unknown): string {
  if (typeof text === 'string' && isIdentityId(text)) return text.toLowerCase();
  throw new InvalidIdentityIdError();
}

/** Whether a text names an identity. */
export function isIdentityId(text: string): boolean {
  const lower = text.toLowerCase();
  return uuidPattern.test(lower) && !/^[0-]+$/.test(lower);
}

const workflowIdPrefix = 'identity-lifecycle/';

/** The workflow ID of an identity's lifecycle: one identity, one workflow. @throws InvalidIdentityIdError */
export function lifecycleWorkflowId(identityId: string): string {
  return `${workflowIdPrefix}${parseIdentityId(identityId)}`;
}
