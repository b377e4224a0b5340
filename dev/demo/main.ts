/** `npm run demo`: Dormouse's main job, shown on real servers, and checked afterwards against their data. */
import { Command } from 'commander';
import { runDemo } from './run.js';

const program = new Command('npm run demo --')
  .description('Takes sixteen real identities up the ladder in a minute and reads the truth back.')
  .option('--json <file>', 'write the findings as JSON too')
  .option('--screenshots <directory>', 'take pictures of the Temporal UI (needs Chromium)')
  .option('--keep', 'leave the stack running afterwards, until Ctrl-C')
  .allowExcessArguments(false)
  .action(async (flags: { json?: string; screenshots?: string; keep?: true }) => {
    process.exit(await runDemo({ ...flags, keep: flags.keep === true }));
  });

await program.parseAsync();
