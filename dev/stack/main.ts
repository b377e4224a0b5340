/** `npm start`: the embedded stack in the project's `.stack/`. */

import { join } from 'node:path';
import { Command } from 'commander';
import { given } from '../../src/domain/given.js';
import { runInForeground } from './foreground.js';
import { projectDirectory } from './project.js';

const program = new Command('npm start --')
  .description(
    'Starts Dormouse with everything it needs on this machine: Temporal, PostgreSQL, Kratos, Hydra, a mail catcher, the worker and the gateway.',
  )
  .option('--fresh', 'remove the data of earlier runs first')
  .option(
    '--policy <file>',
    'the policy file that identities follow, published where its policy has no version yet (default: policies/default.yaml)',
  )
  .allowExcessArguments(false)
  .action(async (flags: { fresh?: true; policy?: string }) => {
    const exitCode = await runInForeground({
      dataDirectory: join(projectDirectory, '.stack'),
      fresh: flags.fresh === true,
      ...given({ policyFile: flags.policy }),
    });
    process.exit(exitCode);
  });

await program.parseAsync();
