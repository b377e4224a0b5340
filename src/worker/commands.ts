/** `dormouse workers …`: the build of the workers that runs the lifecycles. */
import type { Command } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { withTemporal } from '../cli/connection.js';
import { promote, readBuilds } from './deployment.js';

export function addWorkersCommands(program: Command): void {
  const workers = atInstallation(program.command('workers')).description(
    'the builds of the workers, and which of them is the current one (docs/upgrades.md)',
  );
  workers
    .command('list')
    .description('the builds that Temporal knows of, the newest first; only the current one gets tasks')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: { json?: true }) => {
      await withTemporal(async ({ client, taskQueue }) => {
        const builds = await readBuilds(client, taskQueue);
        if (builds.length === 0 && json !== true) {
          console.log('Temporal knows of no versioned worker of this task queue.');
        }
        for (const build of builds) {
          const { buildId, isCurrent, seenAt } = build;
          if (json) console.log(JSON.stringify(build));
          else console.log([buildId, isCurrent ? 'current' : '-', new Date(seenAt).toISOString()].join('  '));
        }
      });
    });
  workers
    .command('promote [build]')
    .description('make a build the current one, forward or back; default: the newest whose workers run')
    .action(async (wanted: string | undefined) => {
      await withTemporal(async ({ client, taskQueue }) => {
        const builds = await readBuilds(client, taskQueue);
        const buildId = wanted ?? builds[0]?.buildId;
        if (buildId === undefined || !builds.some((build) => build.buildId === buildId)) {
          const known = builds.map((build) => build.buildId).join(', ') || 'none';
          throw new Error(`build: is not known to Temporal. Start its workers first. Known are: ${known}`);
        }
        await promote(client, taskQueue, buildId);
        console.log(`${buildId} is the current build: it gets the next task of every lifecycle.`);
      });
    });
}
