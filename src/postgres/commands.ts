/** `dormouse database …`: the schema, and the rights of the runtime role. */
import { type Command, Option } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { findDatabase } from '../cli/connection.js';
import { prepareDatabase } from './prepare.js';
import { grantRole, type RoleKind } from './roles.js';

export function addDatabaseCommands(program: Command): void {
  const database = atInstallation(program.command('database')).description("Dormouse's own database");
  database
    .command('migrate')
    .description(
      'bring the schema up to date as DORMOUSE_POSTGRES_MIGRATION_URL, and grant the role of DORMOUSE_POSTGRES_URL what it needs',
    )
    .action(async () => {
      await prepareDatabase(findDatabase());
      console.log('the schema is up to date');
    });
  database
    .command('grant <role>')
    .description(
      'let a role do what worker and gateway do, and no more; or, with --for app, what an app does',
    )
    .addOption(
      new Option(
        '--for <kind>',
        'runtime: worker, gateway and command line; app: signs of life, standings and its sessions',
      )
        .choices(['runtime', 'app'])
        .default('runtime'),
    )
    .action(async (role: string, { for: kind }: { for: RoleKind }) => {
      const { migrationUrl, url } = findDatabase();
      await grantRole(migrationUrl ?? url, role, kind);
      console.log(
        kind === 'app'
          ? `${role} may write signs of life and presences of sessions, and read standings and policies, and nothing else`
          : `${role} may run Dormouse; it can add to the audit log, and not change it`,
      );
    });
}
