/**
 * `dormouse exempt` and `dormouse exemptions …`: identities to which the ladder does not apply,
 * and the owners of the exemptions.
 */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import { inFuture } from '../cli/durations.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { identityOf, identityParameter } from '../cli/identity.js';
import { type Column, sayJson, sayRows } from '../cli/output.js';
import { pagesOf } from '../cli/pages.js';
import { reasonOption } from '../cli/reason.js';
import { type ExemptionKind, exemptionKinds } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { rfc3339 } from '../domain/rfc3339.js';
import type { exemptionsAnswer } from './routes.js';

type Page = z.input<typeof exemptionsAnswer>;
type Exemption = Page['exemptions'][number];

interface Reviewed extends ChangeFlags {
  readonly reason: string;
  readonly reviewAfter: string;
}

const reviewOption = [
  '--review-after <duration>',
  'when somebody looks at it again, as 180d; it stays in force after that',
] as const;

export function addExemptionCommands(program: Command): void {
  program
    .command(`exempt ${identityParameter}`)
    .description('the ladder does not apply to this identity, until that is ended')
    .addOption(new Option('--kind <kind>', 'of the exemption').choices(exemptionKinds).makeOptionMandatory())
    .requiredOption(...reasonOption)
    .requiredOption('--owner <name>', 'who answers for it: an opaque id or the name of a team')
    .requiredOption(...reviewOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, id: string, flags: Reviewed & { kind: ExemptionKind; owner: string }) => {
        const { owner, kind } = flags;
        await settle(gateway, id, { deed: 'exempt', body: { owner, kind, ...reviewed(flags) } }, flags);
      }),
    );
  const exemptions = program.command('exemptions').description('exemptions that operators set');
  exemptions
    .command('list')
    .description('those in force, the earliest review first')
    .option('--json', 'one JSON object a line')
    .action(
      atGateway(async (gateway, { json }: { json?: true }) => {
        const rows: Exemption[] = [];
        for await (const page of pagesOf<Page>(gateway, '/v1/exemptions')) rows.push(...page.exemptions);
        sayRows(columns, rows, { json: json === true, none: 'No exemption is in force.' });
      }),
    );
  exemptions
    .command(`review ${identityParameter}`)
    .description('it is still right, until the next review')
    .requiredOption(...reasonOption)
    .requiredOption(...reviewOption)
    .option('--owner <name>', 'who answers for it from now on')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, id: string, flags: Reviewed & { owner?: string }) => {
        const body = { ...reviewed(flags), ...given({ owner: flags.owner }) };
        await settle(gateway, id, { deed: 'review-exemption', body }, flags);
      }),
    );
  exemptions
    .command(`end ${identityParameter}`)
    .description('the ladder applies again')
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, id: string, flags: ChangeFlags & { reason: string }) => {
        const body = { reason: checkedReason(flags.reason) };
        await settle(gateway, id, { deed: 'end-exemption', body }, flags);
      }),
    );
}

const reviewed = ({ reason, reviewAfter }: Reviewed) => ({
  reason: checkedReason(reason),
  reviewAt: rfc3339(inFuture('--review-after', reviewAfter)),
});

const whats = {
  exempt: 'exempt it from the ladder',
  'review-exemption': 'note that its exemption is still right',
  'end-exemption': 'end its exemption',
} as const;

async function settle(
  gateway: GatewayCalls,
  text: string,
  { deed, body }: { readonly deed: keyof typeof whats; readonly body: object },
  flags: ChangeFlags,
): Promise<void> {
  const id = await identityOf(gateway, text);
  const path = `/v1/identities/${id}/${deed}`;
  const answer = await decide<Exemption>(gateway, { path, body, what: `${whats[deed]} (${id})` }, flags);
  if (answer === undefined) return;
  if (flags.json === true) sayJson(answer);
  else sayRows(columns, [answer], { json: false, none: '' });
}

const columns: readonly Column<Exemption>[] = [
  { title: 'identity', of: ({ identityId }) => identityId },
  { title: 'kind', of: ({ kind }) => kind },
  { title: 'owner', of: ({ owner }) => owner },
  { title: 'state', of: stateOf },
  { title: 'reason', of: ({ reason }) => reason },
];

function stateOf({ endedAt, reviewAt }: Exemption): string {
  if (endedAt !== undefined) return `ended ${endedAt}`;
  return `${new Date(reviewAt) <= new Date() ? 'review OVERDUE since' : 'review'} ${reviewAt}`;
}
