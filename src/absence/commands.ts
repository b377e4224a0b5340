/** `dormouse missing …`: identities that Kratos no longer knows, before they are forgotten. */
import type { Command } from 'commander';
import type pg from 'pg';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool, withTemporal } from '../cli/connection.js';
import { wake } from '../cli/wake.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { readStanding } from '../standings/standings-table.js';
import { confirmAbsence } from './confirmations-table.js';

export function addMissingCommands(program: Command): void {
  const missing = program
    .command('missing')
    .description(
      'identities that Kratos does not know any more (see them: dormouse worklist --kind missing)',
    );
  missing
    .command('confirm <identityId>')
    .description('it was deleted on purpose: takes the place of looks and of their control')
    .requiredOption(...reasonOption)
    .option('--now', 'forget it at once, without the grace period')
    .option(...actorOption)
    .action(async (id: string, options: Decision & { now?: true }) => {
      const identityId = parseIdentityId(id);
      const { actor, reason } = checkedDecision(options);
      const withoutGrace = options.now === true;
      await withPool(async (pool) => {
        await assertMissing(pool, identityId);
        await confirmAbsence(pool, { identityId, actor, reason, withoutGrace, at: Date.now() });
      });
      const woken = await withTemporal(({ client }) => wake(client, [identityId]));
      const when = withoutGrace ? 'now' : 'after the grace period';
      const how = woken === 1 ? '' : '. Its lifecycle does not run; the next reconciliation starts it';
      console.log(`confirmed: what is known of it is forgotten ${when}, unless Kratos has it again${how}`);
    });
}

async function assertMissing(pool: pg.Pool, identityId: string): Promise<void> {
  const standing = await readStanding(pool, identityId);
  if (standing?.blocked?.by === 'missing') return;
  const why =
    standing === undefined ? 'it was never enrolled' : 'its lifecycle found it in Kratos at its last look';
  throw new Error(`${identityId} is not missing: ${why}. See who is: dormouse worklist --kind missing`);
}
