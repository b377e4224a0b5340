/** `dormouse credentials …`: the named credentials of the gateway. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import { durationFlag } from '../cli/durations.js';
import { type Column, say, sayJson, sayRows } from '../cli/output.js';
import { reasonOption } from '../cli/reason.js';
import { beginOf } from '../cli/times.js';
import { given } from '../domain/given.js';
import { scopeRules } from '../domain/principals/scopes.js';
import { rfc3339 } from '../domain/rfc3339.js';
import type { credentialsAnswer, secretAnswer } from './routes.js';

type Credential = z.input<typeof credentialsAnswer>['credentials'][number];
type Secret = z.input<typeof secretAnswer>;

interface CreateFlags extends ChangeFlags {
  readonly scope: string[];
  readonly owner?: string;
  readonly from?: string;
  readonly expires?: string;
}

interface RotateFlags extends ChangeFlags {
  readonly overlap: string;
  readonly expires?: string;
}

const collect = (text: string, earlier: string[]) => [...earlier, text];

export function addCredentialCommands(program: Command): void {
  const credentials = program
    .command('credentials')
    .description('named credentials of the gateway, each with its scopes (docs/principals.md)');
  credentials
    .command('create <name>')
    .description('makes a credential, and prints its secret once')
    .option('--scope <scope>', 'may be repeated; see: dormouse credentials scopes', collect, [])
    .option('--owner <id>', 'who answers for it; two of one owner count as one operator (default: you)')
    .option('--from <networks>', 'only from these addresses, as 10.0.0.0/8,192.0.2.7')
    .option('--expires <time>', 'a day (UTC) or a time, as 2027-01-31')
    .option(...dryRunOption)
    .action(
      atGateway(async (gateway, name: string, flags: CreateFlags) => {
        const { scope: scopes, owner, from } = flags;
        const networks = from === undefined ? [] : from.split(',').map((part) => part.trim());
        const body = { name, scopes, networks, ...given({ owner, expiresAt: endOf(flags) }) };
        const request = { path: '/v1/credentials', body, what: `make the credential ${name}` };
        sayOnce(await decide<Secret>(gateway, request, flags));
      }),
    );
  credentials
    .command('list')
    .description('all credentials with scopes and last use; never their secrets')
    .option('--ended', 'also those that ended')
    .option('--json', 'one JSON object a line')
    .action(
      atGateway(async (gateway, { ended, json }: { ended?: true; json?: true }) => {
        const answer = await gateway.get<{ credentials: Credential[] }>('/v1/credentials', {
          ended: ended === true,
        });
        sayRows(columns, answer.credentials, { json: json === true, none: 'There are none.' });
      }),
    );
  credentials
    .command('rotate <name>')
    .description('prints another secret; the earlier one stays good for the overlap')
    .option('--overlap <duration>', 'as 1d; 30d at most', '1d')
    .option('--expires <time>', 'of the new secret (default: it lives as long as the earlier one)')
    .option(...dryRunOption)
    .action(
      atGateway(async (gateway, name: string, flags: RotateFlags) => {
        durationFlag('--overlap', flags.overlap);
        const body = { overlap: flags.overlap, ...given({ expiresAt: endOf(flags) }) };
        const request = { path: pathOf(name, 'rotate'), body, what: `make another secret of ${name}` };
        sayOnce(await decide<Secret>(gateway, request, flags));
      }),
    );
  credentials
    .command('revoke <name>')
    .description('ends every secret of a credential; gateways refuse it within seconds')
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option('--json', 'print the answer as JSON')
    .action(
      atGateway(async (gateway, name: string, flags: ChangeFlags & { reason: string }) => {
        const body = { reason: checkedReason(flags.reason) };
        const request = { path: pathOf(name, 'revoke'), body, what: `end every secret of ${name}` };
        const answer = await decide<{ name: string }>(gateway, request, flags);
        if (answer === undefined) return;
        if (flags.json === true) sayJson(answer);
        else say(`${answer.name}  revoked`);
      }),
    );
  credentials
    .command('scopes')
    .description('what a credential can be allowed to do')
    .option('--json', 'one JSON object a line')
    .action(({ json }: { json?: true }) => {
      const rows = Object.entries(scopeRules).map(([scope, { does, side }]) => ({
        scope,
        does,
        address: side,
      }));
      sayRows(
        [
          { title: 'scope', of: ({ scope }) => scope },
          { title: 'address', of: ({ address }) => address },
          { title: 'does', of: ({ does }) => does },
        ],
        rows,
        { json: json === true, none: '' },
      );
    });
}

const pathOf = (name: string, what: string) => `/v1/credentials/${encodeURIComponent(name)}/${what}`;

const endOf = ({ expires }: { readonly expires?: string }) =>
  expires === undefined ? undefined : rfc3339(beginOf('--expires', expires));

/** The secret alone goes to the standard output, so that it can be piped to where it belongs. */
function sayOnce(made: Secret | undefined): void {
  if (made === undefined) return;
  say(made.secret);
  console.error(`${made.name}  this is the only time that the secret is shown`);
}

const columns: readonly Column<Credential>[] = [
  { title: 'name', of: ({ name }) => name },
  { title: 'owner', of: ({ owner }) => owner },
  { title: 'created', of: ({ createdAt }) => createdAt },
  { title: 'used', of: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  { title: 'end', of: ({ endsAt, endsWhy }) => (endsAt === undefined ? 'none' : `${endsWhy} ${endsAt}`) },
  { title: 'from', of: ({ networks }) => (networks.length === 0 ? 'anywhere' : networks.join(' ')) },
  { title: 'scopes', of: ({ scopes }) => scopes.join(' ') },
];
