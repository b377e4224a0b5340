/**
 * `dormouse exempt` and `dormouse exemptions …`: identities to which the ladder does not apply,
 * and the owners of the exemptions.
 */

import type { Command } from 'commander';
import { actorOption, type Decision, reasonOption } from '../cli/actor.js';
import { withDormouse, withPool } from '../cli/connection.js';
import { inFuture } from '../cli/durations.js';
import type { Exemption, ExemptionKind } from '../client.js';
import { exemptionKinds } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { type ExemptionPlace, exemptionsInForce } from './exemptions-table.js';

const reviewOption = [
  '--review-after <duration>',
  'when somebody looks at it again, as 180d; it stays in force after that',
] as const;
const pageRows = 500;

export function addExemptionCommands(program: Command): void {
  program
    .command('exempt <identityId>')
    .description('the ladder does not apply to this identity, until that is ended')
    .requiredOption('--kind <kind>', `one of ${exemptionKinds.join(', ')}`)
    .requiredOption(...reasonOption)
    .requiredOption('--owner <name>', 'who answers for it: an opaque id or the name of a team')
    .requiredOption(...reviewOption)
    .option(...actorOption)
    .action(async (id: string, options: Decision & { kind: string; owner: string; reviewAfter: string }) => {
      const { actor, reason, owner } = options;
      const kind = exemptionKind(options.kind);
      const reviewAt = inFuture('--review-after', options.reviewAfter);
      const request = { actor, reason, owner, kind, reviewAt };
      print(await withDormouse((dormouse) => dormouse.exempt(id, request)));
    });
  const exemptions = program.command('exemptions').description('exemptions that operators set');
  exemptions
    .command('list')
    .description('those in force, the earliest review first')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: true }) => list(options.json === true));
  exemptions
    .command('review <identityId>')
    .description('it is still right, until the next review')
    .requiredOption(...reasonOption)
    .requiredOption(...reviewOption)
    .option('--owner <name>', 'who answers for it from now on')
    .option(...actorOption)
    .action(async (id: string, options: Decision & { owner?: string; reviewAfter: string }) => {
      const { actor, reason, owner } = options;
      const reviewAt = inFuture('--review-after', options.reviewAfter);
      const request = { actor, reason, reviewAt, ...given({ owner }) };
      print(await withDormouse((dormouse) => dormouse.reviewExemption(id, request)));
    });
  exemptions
    .command('end <identityId>')
    .description('the ladder applies again')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(async (id: string, { actor, reason }: Decision) => {
      print(await withDormouse((dormouse) => dormouse.endExemption(id, { actor, reason })));
    });
}

async function list(asJson: boolean): Promise<void> {
  await withPool(async (pool) => {
    let after: ExemptionPlace | undefined;
    for (;;) {
      const page = await exemptionsInForce(pool, {
        rows: pageRows,
        ...given({ after }),
      });
      for (const exemption of page) {
        if (asJson) console.log(JSON.stringify(exemption));
        else print(exemption);
      }
      after = page.at(-1);
      if (after === undefined || page.length < pageRows) return;
    }
  });
}

function print({ identityId, kind, owner, reviewAt, reason, endedAt }: Exemption): void {
  const at = (time: number) => new Date(time).toISOString();
  const state =
    endedAt === undefined
      ? `${reviewAt <= Date.now() ? 'review OVERDUE since' : 'review'} ${at(reviewAt)}`
      : `ended ${at(endedAt)}`;
  console.log([identityId, kind, `owner ${owner}`, state, reason].join('  '));
}

function exemptionKind(text: string): ExemptionKind {
  const kind = exemptionKinds.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new Error(`--kind: "${text}" is not a kind of exemption. Write one of ${exemptionKinds.join(', ')}`);
}
