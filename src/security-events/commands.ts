/** `dormouse signals …`: security events that wait for delivery to other systems. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { z } from 'zod';
import { atInstallation } from '../cli/at-installation.js';
import { type ChangeFlags, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { confirmed, yesOption } from '../cli/confirm.js';
import { atGateway } from '../cli/desk.js';
import { say, sayJson, sayRows } from '../cli/output.js';
import { given } from '../domain/given.js';
import { generateSigningKey, privateJwkText } from '../keys/signing-keys.js';
import type { outboxAnswer, retriedAnswer } from './operators-routes.js';
import { type OutboxState, outboxStates } from './outbox-table.js';
import { parseReceiversFile } from './receivers-file.js';

export function addSecurityEventCommands(program: Command): void {
  const signals = program.command('signals').description('security events on their way to other systems');
  signals
    .command('list')
    .description('the outbox, the oldest first, 200 at most')
    .addOption(new Option('--state <state>', 'of the events').choices(outboxStates).default('parked'))
    .option('--json', 'one JSON object a line')
    .action(
      atGateway(async (gateway, { state, json }: { state: OutboxState; json?: true }) => {
        const { events } = await gateway.get<z.input<typeof outboxAnswer>>('/v1/security-events', { state });
        sayRows(
          [
            { title: 'event', of: ({ jti }) => jti },
            { title: 'receiver', of: ({ receiver }) => receiver },
            { title: 'name', of: ({ name }) => name },
            { title: 'identity', of: ({ identityId }) => identityId },
            { title: 'when', of: ({ occurredAt }) => occurredAt },
            { title: 'attempts', of: ({ attempts }) => String(attempts) },
            { title: 'last error', of: ({ lastError }) => lastError ?? undefined },
          ],
          events,
          { json: json === true, none: `No event is ${state}.` },
        );
      }),
    );
  signals
    .command('retry [jti]')
    .description('have parked events tried again: one, or all')
    .option('--receiver <name>', 'only those of one receiver')
    .option(...yesOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(
        async (
          gateway,
          jti: string | undefined,
          { receiver, ...flags }: ChangeFlags & { receiver?: string; yes?: true },
        ) => {
          const whose = receiver === undefined ? '' : ` of ${receiver}`;
          const what = jti === undefined ? `try all parked events${whose} again` : `try event ${jti} again`;
          if (jti === undefined && flags.dryRun !== true) await confirmed(what, flags);
          const request = { path: '/v1/security-events/retries', body: given({ jti, receiver }), what };
          const answer = await decide<z.input<typeof retriedAnswer>>(gateway, request, flags);
          if (answer === undefined) return;
          if (flags.json === true) sayJson(answer);
          else say(`${answer.retried} events are tried again`);
        },
      ),
    );
  atInstallation(signals.command('check <file>'))
    .description('say what is wrong with a file of receivers, or who receives what')
    .action(async (file: string) => {
      const { issuer, receivers } = parseReceiversFile(await readFile(file, 'utf8'), file);
      console.log(`${file} is sound. ${issuer} tells:`);
      for (const { name, endpoint, events } of receivers) {
        console.log(`  ${name.padEnd(24)}${endpoint}  ${events.join(', ')}`);
      }
    });
  atInstallation(signals.command('keygen'))
    .description('print a fresh private key for DORMOUSE_SHARED_SIGNALS_KEY')
    .action(() => console.log(privateJwkText(generateSigningKey('rsa'))));
}
