/** `dormouse missing …`: identities that Kratos no longer knows, before they are forgotten. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import { identityOf } from '../cli/identity.js';
import { say, sayJson } from '../cli/output.js';
import { reasonOption } from '../cli/reason.js';
import type { confirmedAnswer } from './routes.js';

type Confirmed = z.input<typeof confirmedAnswer>;

export function addMissingCommands(program: Command): void {
  const missing = program
    .command('missing')
    .description(
      'identities that Kratos does not know any more (see them: dormouse worklist --kind missing)',
    );
  missing
    .command('confirm <identityId>')
    .description('it was deleted on purpose: takes the place of looks and of their control')
    .requiredOption(...reasonOption)
    .option('--now', 'forget it at once, without the grace period')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, text: string, flags: ChangeFlags & { reason: string; now?: true }) => {
        const id = await identityOf(gateway, text);
        const withoutGrace = flags.now === true;
        const when = withoutGrace ? 'now' : 'after the grace period';
        const request = {
          path: `/v1/identities/${id}/confirm-missing`,
          body: { reason: checkedReason(flags.reason), withoutGrace },
          what: `forget what is known of ${id} ${when}`,
        };
        const answer = await decide<Confirmed>(gateway, request, flags);
        if (answer === undefined) return;
        if (flags.json === true) return sayJson(answer);
        const how = answer.woken ? '' : '. Its lifecycle does not run; the next reconciliation starts it';
        say(`confirmed: what is known of it is forgotten ${when}, unless Kratos has it again${how}`);
      }),
    );
}
