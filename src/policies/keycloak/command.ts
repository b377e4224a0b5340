/** `dormouse policy import-keycloak FILE`: a policy file from a workflow of Keycloak. Publishes nothing. */
import type { Command } from 'commander';
import { parseYamlFile } from '../../process/yaml-file.js';
import { checkedPolicyId } from '../id-parameter.js';
import { readPolicyFile } from '../read-file.js';
import { parsePolicyToPublish } from '../yaml.js';
import { carryOver, NotCarriedOverError } from './carry-over.js';
import { type KeycloakWorkflow, keycloakFile } from './definition.js';
import { policyIdOf, policyText } from './policy-text.js';

interface Flags {
  readonly workflow?: string;
  readonly id?: string;
  readonly withoutCondition?: boolean;
}

export function addKeycloakCommand(policy: Command): void {
  policy
    .command('import-keycloak <file>')
    .description(
      'write a policy from a workflow of Keycloak (YAML or JSON) to the standard output, with remarks on the rest',
    )
    .option('--workflow <name>', 'which one, where the file has several')
    .option('--id <id>', "the policy's id; left out: made of the workflow's name")
    .option('--without-condition', 'leave out a condition that a policy can not say, and reach more people')
    .action(async (file: string, flags: Flags) => {
      process.stdout.write(importKeycloak(await readPolicyFile(file), file, flags));
    });
}

/**
 * @returns the text of a policy file, which `policy check` takes
 * @throws Error that names the file, the problem and the way out
 */
export function importKeycloak(text: string, file: string, flags: Flags): string {
  const workflow = chosen(parseYamlFile(keycloakFile, text, file), file, flags);
  const id = flags.id === undefined ? policyIdOf(workflow.name) : checkedPolicyId('--id', flags.id);
  const policy = policyText(id, workflow.name, carriedOver(workflow, file, flags));
  parsePolicyToPublish(policy, `the policy from ${file}`);
  return policy;
}

function carriedOver(workflow: KeycloakWorkflow, file: string, { withoutCondition = false }: Flags) {
  try {
    return carryOver(workflow, { withoutCondition });
  } catch (error) {
    if (!(error instanceof NotCarriedOverError)) throw error;
    throw new Error(`${file}: workflow ${JSON.stringify(workflow.name)}: ${error.message}`, { cause: error });
  }
}

function chosen(workflows: readonly KeycloakWorkflow[], file: string, flags: Flags): KeycloakWorkflow {
  const [only, ...others] =
    flags.workflow === undefined ? workflows : workflows.filter(({ name }) => name === flags.workflow);
  const names = workflows.map(({ name }) => JSON.stringify(name)).join(', ');
  if (only === undefined) {
    throw new Error(`${file}: has no such workflow. It has: ${names === '' ? 'none' : names}`);
  }
  if (others.length > 0)
    throw new Error(`${file}: has several workflows. Pass --workflow with one of: ${names}`);
  return only;
}
