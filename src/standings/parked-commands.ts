/** `dormouse parked …`: steps that failed for good, and operators' decisions about them. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { confirmed, yesOption } from '../cli/confirm.js';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { identityParameter } from '../cli/identity.js';
import { say, sayJson, sayRows } from '../cli/output.js';
import { pagesOf } from '../cli/pages.js';
import { reasonOption } from '../cli/reason.js';
import { given } from '../domain/given.js';
import { settle } from './commands.js';
import type { parkedAnswer, retriedAnswer } from './parked-routes.js';

type ParkedPage = z.input<typeof parkedAnswer>;
type Retried = z.input<typeof retriedAnswer>;

interface RetryFlags extends ChangeFlags {
  readonly error?: string;
  readonly all?: true;
  readonly rate: string;
  readonly yes?: true;
}

export function addParkedCommands(program: Command): void {
  const parked = program.command('parked').description('steps that failed for good and wait for a decision');
  parked
    .command('list')
    .description('who is parked, at which step, by which error, and the way out')
    .option('--error <type>', 'only those of this error, as KratosUnavailable')
    .option('--json', 'one JSON object a line')
    .action(atGateway(list));
  parked
    .command('retry [identity]')
    .description('try the step once more: of one identity, of all with one error, or of all')
    .option('--error <type>', 'of all that are parked by this error')
    .option('--all', 'of all')
    .option('--rate <perSecond>', 'at most so many a second', '10')
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(atGateway(retry));
  parked
    .command(`skip ${identityParameter}`)
    .description('the step is not to be done (docs/holds-and-parked.md says what that means for each)')
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: ChangeFlags & { reason: string }) => {
        const body = { reason: checkedReason(flags.reason) };
        await settle(gateway, text, { deed: 'skip-parked', body, what: 'skip its parked step' }, flags);
      }),
    );
}

async function list(gateway: GatewayCalls, { error, json }: { error?: string; json?: true }): Promise<void> {
  const rows: ParkedPage['parked'][number][] = [];
  for await (const { parked } of pagesOf<ParkedPage>(gateway, '/v1/parked', given({ error })))
    rows.push(...parked);
  sayRows(
    [
      { title: 'identity', of: ({ identityId }) => identityId },
      { title: 'step', of: ({ step }) => step },
      { title: 'error', of: ({ errorType }) => errorType },
      { title: 'since', of: ({ since }) => since },
      { title: 'way out', of: ({ wayOut }) => wayOut },
    ],
    rows,
    { json: json === true, none: 'Nothing is parked.' },
  );
}

/** The gateway tells so many in one request, and answers where to go on. */
async function retry(gateway: GatewayCalls, id: string | undefined, flags: RetryFlags): Promise<void> {
  const { error, all, rate } = flags;
  if ([id, error, all].filter((one) => one !== undefined).length !== 1)
    throw new UsageError('say whose: an identity, --error TYPE, or --all; one of the three');
  if (id !== undefined) {
    await settle(gateway, id, { deed: 'retry-parked', body: {}, what: 'try its parked step again' }, flags);
    return;
  }
  const perSecond = Number(rate);
  if (!(perSecond >= 0.1 && perSecond <= 100))
    throw new UsageError('--rate: must be a number from 0.1 to 100');
  const whose = error === undefined ? 'all parked steps' : `all steps parked by ${error}`;
  const request = { path: '/v1/parked/retries', what: `try ${whose} again` };
  if (flags.dryRun !== true) await confirmed(request.what, flags);
  let [told, gone] = [0, 0];
  let after: string | undefined;
  do {
    const body = { perSecond, ...given({ error, after }) };
    const answer: Retried | undefined = await decide(gateway, { ...request, body }, flags);
    if (answer === undefined) return;
    told += answer.told;
    gone += answer.gone;
    after = answer.next;
  } while (after !== undefined);
  if (flags.json === true) return sayJson({ told, gone });
  say(`${told} were told to try again; of ${gone} no lifecycle runs any more`);
  say('What fails again is parked again: dormouse parked list');
}
