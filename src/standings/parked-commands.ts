/** `dormouse parked …`: steps that failed for good, and operators' decisions about them. */
import type { Command } from 'commander';
import type pg from 'pg';
import { actorOption, type Decision, reasonOption } from '../cli/actor.js';
import { withDormouse, withPool, withTemporal } from '../cli/connection.js';
import { parkedSteps } from '../worklist/parked.js';
import { print } from './commands.js';
import { retryAll } from './retry-all.js';

interface Retry {
  readonly actor: string;
  readonly error?: string;
  readonly all?: true;
  readonly rate: string;
}

export function addParkedCommands(program: Command): void {
  const parked = program.command('parked').description('steps that failed for good and wait for a decision');
  parked
    .command('list')
    .description('who is parked, at which step, by which error, and the way out')
    .option('--error <type>', 'only those of this error, as KratosUnavailable')
    .option('--json', 'one JSON object a line')
    .action(async (options: { error?: string; json?: true }) => {
      await withPool((pool) => list(pool, options.error, options.json === true));
    });
  parked
    .command('retry [identityId]')
    .description('try the step once more: of one identity, of all with one error, or of all')
    .option('--error <type>', 'of all that are parked by this error')
    .option('--all', 'of all')
    .option('--rate <perSecond>', 'at most so many a second', '10')
    .option(...actorOption)
    .action(retry);
  parked
    .command('skip <identityId>')
    .description('the step is not to be done (docs/holds-and-parked.md says what that means for each)')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(async (id: string, { actor, reason }: Decision) => {
      print(await withDormouse((dormouse) => dormouse.skipParked(id, { actor, reason })));
    });
}

async function list(pool: pg.Pool, errorType: string | undefined, asJson: boolean): Promise<void> {
  for await (const step of parkedSteps(pool, errorType)) {
    const { identityId, step: name, since, wayOut } = step;
    if (asJson) console.log(JSON.stringify(step));
    else console.log([identityId, name, step.errorType, new Date(since).toISOString(), wayOut].join('  '));
  }
}

async function retry(id: string | undefined, { actor, error, all, rate }: Retry): Promise<void> {
  const said = [id, error, all].filter((one) => one !== undefined);
  if (said.length !== 1) throw new Error('say whose: an identity, --error TYPE, or --all; one of the three');
  if (id !== undefined) {
    print(await withDormouse((dormouse) => dormouse.retryParked(id, { actor })));
    return;
  }
  const perSecond = Number(rate);
  if (!(perSecond >= 0.1 && perSecond <= 100)) throw new Error('--rate: must be a number from 0.1 to 100');
  const ids = await withPool((pool) => parkedIds(pool, error));
  const { told, gone } = await withTemporal(({ client }) => retryAll(client, ids, { actor, perSecond }));
  console.log(`${told} were told to try again; of ${gone} no lifecycle runs any more`);
  console.log('What fails again is parked again: dormouse parked list');
}

async function parkedIds(pool: pg.Pool, errorType: string | undefined): Promise<string[]> {
  const ids: string[] = [];
  for await (const { identityId } of parkedSteps(pool, errorType)) ids.push(identityId);
  return ids;
}
