/** The options `--actor` and `--reason` of commands that decide at the installation; a gateway takes the credential as the actor. */
import { userInfo } from 'node:os';
import { actorProblem, claimsPrincipal } from '../domain/names.js';
import { checkedReason } from './changes.js';
import { UsageError } from './exit-codes.js';

export const actorOption = [
  '--actor <id>',
  'who decides: an opaque id, never an e-mail address',
  (actor: string) => checkedActor(actor),
  userInfo().username,
] as const;

export { reasonOption } from './reason.js';

export interface Decision {
  readonly reason: string;
  readonly actor: string;
}

/** For decisions that are not checked elsewhere. @throws UsageError that names the option */
export function checkedDecision<T extends Decision>(decision: T): T {
  return { ...decision, reason: checkedReason(decision.reason), actor: checkedActor(decision.actor) };
}

export function checkedActor(actor: string): string {
  const problem = claimsPrincipal(actor)
    ? 'is the name of a credential of the gateway, which only the gateway may use. Pass your own id'
    : actorProblem(actor);
  if (problem === undefined) return actor;
  throw new UsageError(`--actor: ${problem}`);
}
