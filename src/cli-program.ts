/** The operators' command line as a whole. Each room has its own commands. */
import { Command } from 'commander';
import { addMissingCommands } from './absence/commands.js';
import { addAuditCommands } from './audit/commands.js';
import { addMonthReportCommand } from './audit/month-command.js';
import { addBreakerCommands } from './breaker/commands.js';
import { addExemptionCommands } from './exemptions/commands.js';
import { addKeysCommands } from './keys/commands.js';
import { addMailCommands } from './mail/commands.js';
import { addTemporalCommands } from './observability/commands.js';
import { addPolicyCommands } from './policies/commands.js';
import { addDatabaseCommands } from './postgres/commands.js';
import { addPreviewCommands } from './preview/commands.js';
import { addCredentialCommands } from './principals/commands.js';
import { addEnrolCommands } from './reconciliation/commands.js';
import { addRolloutCommands } from './rollout/commands.js';
import { addSecurityEventCommands } from './security-events/commands.js';
import { addSimulateCommand } from './simulation/commands.js';
import { addIdentityCommands } from './standings/commands.js';
import { addParkedCommands } from './standings/parked-commands.js';
import { addPersonalTokenCommands } from './tokens/personal/commands.js';
import { addTokenSourceCommands } from './tokens/sourced/commands.js';
import { addWorkersCommands } from './worker/commands.js';
import { addWorklistCommands } from './worklist/commands.js';

export function createProgram(): Command {
  const program = new Command('dormouse')
    .description('Asks and decides about identities and their inactivity.')
    .showHelpAfterError();
  addIdentityCommands(program);
  addEnrolCommands(program);
  addPolicyCommands(program);
  addPreviewCommands(program);
  addSimulateCommand(program);
  addRolloutCommands(program);
  addSecurityEventCommands(program);
  addAuditCommands(program);
  addMailCommands(program);
  addBreakerCommands(program);
  addDatabaseCommands(program);
  addKeysCommands(program);
  addExemptionCommands(program);
  addMissingCommands(program);
  addParkedCommands(program);
  addTokenSourceCommands(addPersonalTokenCommands(program));
  addWorklistCommands(program);
  addCredentialCommands(program);
  addWorkersCommands(program);
  addTemporalCommands(program);
  addMonthReportCommand(program);
  return program;
}
