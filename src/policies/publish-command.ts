/** `dormouse policy publish`: only on a preview, or with a reason why not. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { confirmed, yesOption } from '../cli/confirm.js';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { wholeNumber } from '../cli/numbers.js';
import { reasonOption } from '../cli/reason.js';
import { given } from '../domain/given.js';
import { checkedPolicyId } from './id-parameter.js';
import { readPolicyFile } from './read-file.js';
import type { publicationAnswer } from './routes.js';
import { parsePolicyToPublish } from './yaml.js';

export type Published = z.input<typeof publicationAnswer>;

interface Flags extends ChangeFlags {
  readonly reason: string;
  readonly expect?: string;
  readonly preview?: string;
  readonly withoutPreview?: string;
  readonly tolerate: string;
  readonly yes?: true;
}

/** A publication on a preview asks everybody again, milliseconds. */
export const previewMs = 300_000;

export const expectOption = [
  '--expect <version>',
  'the latest version that the decision rests on; refused where another one is the latest. Left out: the one of this moment',
] as const;

/** What a version of a policy takes, whichever text it has. */
function addDecisionOptions(command: Command): Command {
  return command
    .requiredOption(...reasonOption)
    .option('--preview <hash>', 'the preview that the decision rests on: dormouse policy preview FILE')
    .option('--without-preview <reason>', 'publish without one, and why; the audit log has it')
    .option('--tolerate <percent>', "by how much the preview's numbers may have changed since", '1')
    .option(...expectOption)
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption);
}

type Announce = (published: Published, flags: ChangeFlags) => void;

/** @param announce tells the operator the outcome */
export function addPublishCommand(policy: Command, announce: Announce): void {
  const command = policy
    .command('publish <file>')
    .description(
      'publish a policy file as the next version of its policy; identities take it up when they wake',
    );
  addDecisionOptions(command).action(
    atGateway(async (gateway, file: string, flags: Flags) => {
      const published = await publish(gateway, file, flags);
      if (published !== undefined) announce(published, flags);
    }),
  );
}

/** @param announce tells the operator the outcome */
export function addRollbackCommand(policy: Command, announce: Announce): void {
  const command = policy
    .command('rollback <id>')
    .description('publish the text of an earlier version as the next version')
    .requiredOption('--to <version>', 'the earlier version; its preview: dormouse policy preview ID@VERSION');
  addDecisionOptions(command).action(
    atGateway(async (gateway, id: string, flags: Flags & { to: string }) => {
      const published = await rollBack(gateway, id, flags);
      if (published !== undefined) announce(published, flags);
    }),
  );
}

async function publish(gateway: GatewayCalls, file: string, flags: Flags): Promise<Published | undefined> {
  const decision = decisionOf(flags);
  const text = await readPolicyFile(file);
  const { id } = parsePolicyToPublish(text, file);
  const what = `publish ${file} as the next version of "${id}" for everybody who follows it`;
  if (flags.dryRun !== true) await confirmed(what, flags);
  const body = { text, file, ...decision };
  return decide<Published>(gateway, { path: '/v1/policies', body, what, timeoutMs: previewMs }, flags);
}

async function rollBack(
  gateway: GatewayCalls,
  text: string,
  flags: Flags & { to: string },
): Promise<Published | undefined> {
  const id = checkedPolicyId('id', text);
  const to = wholeNumber('--to', flags.to);
  const body = { toVersion: to, ...decisionOf(flags) };
  const what = `publish version ${to} of "${id}" anew for everybody who follows it`;
  if (flags.dryRun !== true) await confirmed(what, flags);
  const path = `/v1/policies/${id}/rollback`;
  return decide<Published>(gateway, { path, body, what, timeoutMs: previewMs }, flags);
}

/** @throws UsageError naming the flag */
function decisionOf(flags: Flags) {
  const { preview, withoutPreview } = flags;
  const expected = flags.expect === undefined ? undefined : wholeNumber('--expect', flags.expect);
  const reason = checkedReason(flags.reason);
  if (preview !== undefined && withoutPreview !== undefined)
    throw new UsageError('--without-preview: goes without --preview. Write one of them');
  const why = withoutPreview === undefined ? undefined : checkedReason(withoutPreview, '--without-preview');
  const toleratedPercent = percent('--tolerate', flags.tolerate);
  return { reason, toleratedPercent, ...given({ preview, expected, withoutPreview: why }) };
}

/** @returns a number from 0 to 100. @throws UsageError naming the flag */
function percent(flag: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new UsageError(`${flag}: must be a number from 0 to 100, such as 1 or 2.5`);
}
