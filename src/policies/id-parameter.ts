/** Ids of policies as parameters of the command line. */
import { policyIdPattern } from '../domain/names.js';

/** @param name the parameter or flag, for the message. @throws Error naming the problem */
export function checkedPolicyId(name: string, text: string): string {
  if (policyIdPattern.test(text)) return text;
  throw new Error(`${name}: is not the id of a policy. Write it as in the policy file, for example default`);
}
