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

/** @param announce tells the operator the outcome */
export function addPublishCommand(
  policy: Command,
  announce: (published: Published, flags: ChangeFlags) => void,
): void {
  policy
    .command('publish <file>')
    .description(
      'publish a policy file as the next version of its policy; identities take it up when they wake',
    )
    .requiredOption(...reasonOption)
    .option('--preview <hash>', 'the preview that the decision rests on: dormouse policy preview FILE')
    .option('--without-preview <reason>', 'publish without one, and why; the audit log has it')
    .option('--tolerate <percent>', "by how much the preview's numbers may have changed since", '1')
    .option(...expectOption)
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, file: string, flags: Flags) => {
        const published = await publish(gateway, file, flags);
        if (published !== undefined) announce(published, flags);
      }),
    );
}

async function publish(gateway: GatewayCalls, file: string, flags: Flags): Promise<Published | undefined> {
  const { preview, withoutPreview } = flags;
  const expected = flags.expect === undefined ? undefined : wholeNumber('--expect', flags.expect);
  const reason = checkedReason(flags.reason);
  if (preview !== undefined && withoutPreview !== undefined)
    throw new UsageError('--without-preview: goes without --preview. Write one of them');
  const why = withoutPreview === undefined ? undefined : checkedReason(withoutPreview, '--without-preview');
  const toleratedPercent = percent('--tolerate', flags.tolerate);
  const text = await readPolicyFile(file);
  const { id } = parsePolicyToPublish(text, file);
  const body = { text, file, reason, toleratedPercent, ...given({ preview, expected, withoutPreview: why }) };
  const what = `publish ${file} as the next version of "${id}" for everybody who follows it`;
  if (flags.dryRun !== true) await confirmed(what, flags);
  return decide<Published>(gateway, { path: '/v1/policies', body, what, timeoutMs: previewMs }, flags);
}

/** @returns a number from 0 to 100. @throws UsageError naming the flag */
function percent(flag: string, text: string): number {
  const value = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 100) return value;
  throw new UsageError(`${flag}: must be a number from 0 to 100, such as 1 or 2.5`);
}
