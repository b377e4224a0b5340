#!/usr/bin/env node
/** Entry point: `dormouse`, the operators' command line. Thin; the commands stand in cli/. */
import { Command } from 'commander';
import { addAuditCommands } from './cli/audit-commands.js';
import { addBreakerCommands } from './cli/breaker-commands.js';
import { addEnrolCommands } from './cli/enrol-commands.js';
import { addIdentityCommands } from './cli/identity-commands.js';
import { addMailCommands } from './cli/mail-commands.js';
import { addPolicyCommands } from './cli/policy-commands.js';

const program = new Command('dormouse')
  .description('Asks and decides about identities and their inactivity.')
  .showHelpAfterError();
addIdentityCommands(program);
addEnrolCommands(program);
addPolicyCommands(program);
addAuditCommands(program);
addMailCommands(program);
addBreakerCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
