#!/usr/bin/env node
/** Entry point: `dormouse`, the operators' command line. Thin; the commands stand in cli/. */
import { Command } from 'commander';
import { addAuditCommands } from './cli/audit-commands.js';
import { addBreakerCommands } from './cli/breaker-commands.js';
import { addDatabaseCommands } from './cli/database-commands.js';
import { addEnrolCommands } from './cli/enrol-commands.js';
import { addExemptionCommands } from './cli/exemption-commands.js';
import { addIdentityCommands } from './cli/identity-commands.js';
import { addKeysCommands } from './cli/keys-commands.js';
import { addMailCommands } from './cli/mail-commands.js';
import { addMissingCommands } from './cli/missing-commands.js';
import { addParkedCommands } from './cli/parked-commands.js';
import { addPolicyCommands } from './cli/policy-commands.js';
import { addSignalsCommands } from './cli/signals-commands.js';
import { addWorkersCommands } from './cli/workers-commands.js';
import { addWorklistCommands } from './cli/worklist-commands.js';

const program = new Command('dormouse')
  .description('Asks and decides about identities and their inactivity.')
  .showHelpAfterError();
addIdentityCommands(program);
addEnrolCommands(program);
addPolicyCommands(program);
addSignalsCommands(program);
addAuditCommands(program);
addMailCommands(program);
addBreakerCommands(program);
addDatabaseCommands(program);
addKeysCommands(program);
addExemptionCommands(program);
addMissingCommands(program);
addParkedCommands(program);
addWorklistCommands(program);
addWorkersCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
