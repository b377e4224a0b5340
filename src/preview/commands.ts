/** `dormouse policy preview`: a policy against the people who follow it, before anything is saved. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { namedPolicy } from '../cli/named-policy.js';
import { say, sayJson } from '../cli/output.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { previewMs } from '../policies/publish-command.js';
import type { previewAnswer } from './routes.js';

interface Flags {
  readonly policy?: string;
  readonly csv?: true;
  readonly json?: true;
  readonly html?: string;
}

/** Adds to the command `policy`. */
export function addPreviewCommands(program: Command): void {
  const policy = program.commands.find((command) => command.name() === 'policy');
  if (policy === undefined) throw new Error('the command "policy" is added first');
  policy
    .command('preview <file>')
    .description(
      'what a policy would do to the people who follow it, compared with the version in force. A file, id@version or preset:NAME. Saves its answer for: policy publish --preview',
    )
    .option('--policy <id>', 'the people who follow this policy; left out: the id in the file')
    .option('--csv', 'one line for each person')
    .option('--json', 'as JSON, with the numbers of each day')
    .option('--html <path>', 'one page with plots, which needs nothing else')
    .action(atGateway(preview));
}

/** Characters; a person has about 250. */
const longestCsv = 500_000_000;

async function preview(
  gateway: GatewayCalls,
  file: string,
  { csv, json, html, ...flags }: Flags,
): Promise<void> {
  if (csv === true && html !== undefined)
    throw new UsageError('--csv: goes without --html. Write one of them');
  const { text, policy } = await namedPolicy(file, async () => gateway);
  const policyId = checkedPolicyId('--policy', flags.policy ?? policy.id);
  const also = csv === true ? 'people' : html === undefined ? 'nothing' : 'page';
  const body = { text, file, policyId, with: also };
  const answer = await gateway.post<z.input<typeof previewAnswer>>('/v1/policies/previews', body, {
    timeoutMs: previewMs,
    ...(csv === true && { longest: longestCsv }),
  });
  if (html !== undefined) {
    await writeFile(html, answer.page ?? '');
    console.error(`written: ${html}`);
  }
  if (json === true) sayJson(answer.preview, 'line');
  else if (csv === true) for (const line of (answer.people ?? '').trimEnd().split(/\r?\n/)) say(line);
  else for (const line of answer.lines) say(line);
}
