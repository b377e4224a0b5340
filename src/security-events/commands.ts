/** `dormouse signals …`: security events that wait for delivery to other systems. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { withPool } from '../cli/connection.js';
import { given } from '../domain/given.js';
import { generateSigningKey, privateJwkText } from '../keys/signing-keys.js';
import { listOutbox, type OutboxState, outboxStates, retryParked } from './outbox-table.js';
import { parseReceiversFile } from './receivers-file.js';

const listed = 200;

export function addSecurityEventCommands(program: Command): void {
  const signals = program.command('signals').description('security events on their way to other systems');
  signals
    .command('list')
    .description(`the outbox, the oldest first, ${listed} at most`)
    .addOption(new Option('--state <state>', 'of the events').choices(outboxStates).default('parked'))
    .action(async ({ state }: { state: OutboxState }) => {
      for (const row of await withPool((pool) => listOutbox(pool, state, listed))) {
        const when = new Date(row.occurredAt).toISOString();
        const tries = `${row.attempts} attempts${row.lastError === null ? '' : `, the last: ${row.lastError}`}`;
        console.log([row.jti, row.receiver, row.name, row.identityId, when, tries].join('  '));
      }
    });
  signals
    .command('retry [jti]')
    .description('have parked events tried again: one, or all')
    .option('--receiver <name>', 'only those of one receiver')
    .action(async (jti: string | undefined, { receiver }: { receiver?: string }) => {
      const which = {
        ...given({ jti, receiver }),
      };
      console.log(`${await withPool((pool) => retryParked(pool, which))} events are tried again`);
    });
  signals
    .command('check <file>')
    .description('say what is wrong with a file of receivers, or who receives what')
    .action(async (file: string) => {
      const { issuer, receivers } = parseReceiversFile(await readFile(file, 'utf8'), file);
      console.log(`${file} is sound. ${issuer} tells:`);
      for (const { name, endpoint, events } of receivers) {
        console.log(`  ${name.padEnd(24)}${endpoint}  ${events.join(', ')}`);
      }
    });
  signals
    .command('keygen')
    .description('print a fresh private key for DORMOUSE_SHARED_SIGNALS_KEY')
    .action(() => console.log(privateJwkText(generateSigningKey('rsa'))));
}
