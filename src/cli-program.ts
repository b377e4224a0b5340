/** The operators' command line as a whole. Each room has its own commands. */
import { Command } from 'commander';
import { addMissingCommands } from './absence/commands.js';
import { addAuditCommands } from './audit/commands.js';
import { addMonthReportCommand } from './audit/month-command.js';
import { addBreakerCommands } from './breaker/commands.js';
import { addContextOptions, atInstallation } from './cli/at-installation.js';
import { addCompletionCommands } from './cli/completion-commands.js';
import { contextOption } from './cli/desk.js';
import { addLoginCommands } from './cli/login-commands.js';
import { addExemptionCommands } from './exemptions/commands.js';
import { addKeysCommands } from './keys/commands.js';
import { addMailCommands } from './mail/commands.js';
import { addTemporalCommands } from './observability/commands.js';
import { addPolicyCommands } from './policies/commands.js';
import { addDatabaseCommands } from './postgres/commands.js';
import { addPreviewCommands } from './preview/commands.js';
import { addCredentialCommands } from './principals/commands.js';
import { addServerCredentialCommands } from './principals/server-commands.js';
import { release } from './process/release.js';
import { addServerEnrolCommand } from './reconciliation/server-commands.js';
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
    .description('Asks and decides about identities and their inactivity, at a gateway.')
    .version(release, '-V, --version')
    // A command may have a --version of its own, so the program's options stand before the command.
    .enablePositionalOptions()
    .option(...contextOption)
    .showHelpAfterError('(dormouse --help lists the commands)')
    .exitOverride();
  addIdentityCommands(program);
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
  addLoginCommands(program);
  addCompletionCommands(program);
  const server = atInstallation(program.command('server')).description(
    'on the database and Temporal themselves: the first credential, everybody’s enrolment',
  );
  addServerCredentialCommands(server);
  addServerEnrolCommand(server);
  addContextOptions(program);
  return program;
}
