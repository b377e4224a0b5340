/** `dormouse temporal …`: what Temporal has to know before workers can work. */
import type { Command } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { withTemporal } from '../cli/connection.js';
import { registerSearchAttributes, searchAttributeProblems } from '../process/search-attributes.js';

export function addTemporalCommands(program: Command): void {
  const temporal = atInstallation(program.command('temporal')).description(
    'the search attributes of lifecycles in Temporal (docs/temporal-ui.md)',
  );
  temporal
    .command('register')
    .description('register the search attributes that the namespace lacks; safe to repeat')
    .action(async () => {
      await withTemporal(async ({ client }) => {
        const { namespace } = client.options;
        const added = await registerSearchAttributes(client.connection, namespace);
        const problems = await searchAttributeProblems(client.connection, namespace);
        if (problems.length > 0) throw new Error(`${namespace}: ${problems.join('; ')}`);
        console.log(
          added.length === 0
            ? `${namespace} has all search attributes.`
            : `${namespace}: registered ${added.join(', ')}.`,
        );
      });
    });
  temporal
    .command('check')
    .description('exit 1 where the namespace lacks a search attribute')
    .action(async () => {
      await withTemporal(async ({ client }) => {
        const { namespace } = client.options;
        const problems = await searchAttributeProblems(client.connection, namespace);
        if (problems.length > 0) {
          throw new Error(`${namespace}: ${problems.join('; ')}. Run "dormouse temporal register"`);
        }
        console.log(`${namespace} has all search attributes.`);
      });
    });
}
