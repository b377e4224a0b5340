/** Ids of policies as parameters of commands and routes. */
import { policyIdPattern } from '../domain/names.js';
import { InvalidRequestError } from '../process/caller-errors.js';

/** @param name the parameter or flag, for the message. @throws InvalidRequestError naming the problem */
export function checkedPolicyId(name: string, text: string): string {
  if (policyIdPattern.test(text)) return text;
  throw new InvalidRequestError(
    `${name}: is not the id of a policy. Write it as in the policy file, for example default`,
  );
}
