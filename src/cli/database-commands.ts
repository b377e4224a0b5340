/** `dormouse database …`: the schema, and what the runtime role may do with it. */
import type { Command } from 'commander';
import { prepareDatabase } from '../store/prepare.js';
import { grantRuntimeRole } from '../store/roles.js';
import { findDatabase } from './connection.js';

export function addDatabaseCommands(program: Command): void {
  const database = program.command('database').description("Dormouse's own database");
  database
    .command('migrate')
    .description(
      'bring the schema up to date as DORMOUSE_POSTGRES_MIGRATION_URL, and grant the role of DORMOUSE_POSTGRES_URL what it needs',
    )
    .action(async () => {
      await prepareDatabase(await findDatabase());
      console.log('the schema is up to date');
    });
  database
    .command('grant <role>')
    .description('let a role do what worker and gateway do, and no more: it can only add to the audit log')
    .action(async (role: string) => {
      const { migrationUrl, url } = await findDatabase();
      await grantRuntimeRole(migrationUrl ?? url, role);
      console.log(`${role} may run Dormouse; it can add to the audit log, and not change it`);
    });
}
