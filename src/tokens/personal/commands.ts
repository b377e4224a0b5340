/** `dormouse tokens …`: personal access tokens, for operators. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { type ChangeFlags, checkedReason, decide, dryRunOption, jsonOption } from '../../cli/changes.js';
import { atGateway } from '../../cli/desk.js';
import { durationFlag } from '../../cli/durations.js';
import type { GatewayCalls } from '../../cli/gateway-calls.js';
import { identityOf, identityParameter } from '../../cli/identity.js';
import { type Column, say, sayJson, sayRows } from '../../cli/output.js';
import { reasonOption } from '../../cli/reason.js';
import { beginOf } from '../../cli/times.js';
import { formatDuration } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { rfc3339 } from '../../domain/rfc3339.js';
import { readPolicyFile } from '../../policies/read-file.js';
import type { dueAnswer, madeAnswer, revokedAnswer, tokensAnswer } from './routes.js';

type Listed = z.input<typeof tokensAnswer>['tokens'][number];
type Made = z.input<typeof madeAnswer>;
type Revoked = z.input<typeof revokedAnswer>;
type DuePage = z.input<typeof dueAnswer>;
type Due = DuePage['tokens'][number];

interface CreateFlags extends ChangeFlags {
  readonly name: string;
  readonly policy?: string;
  readonly type?: string;
  readonly scope: string[];
  readonly role: string[];
  readonly expires?: string;
}

interface DueFlags {
  readonly within: string;
  readonly policy?: string;
  readonly file?: string;
  readonly json?: true;
}

const collect = (text: string, earlier: string[]) => [...earlier, text];
const policyOption = ['--policy <id>', 'a published policy; left out: the one of the installation'] as const;

/** @returns the command `dormouse tokens`, for those of other rooms */
export function addPersonalTokenCommands(program: Command): Command {
  const tokens = program.command('tokens').description('personal access tokens');
  tokens
    .command(`list ${identityParameter}`)
    .description('the tokens of an identity, the newest first; never the tokens themselves')
    .option('--ended', 'also those that ended')
    .option('--json', 'one JSON object a line')
    .action(atGateway(list));
  tokens
    .command('due')
    .description(
      'the tokens that end within a time if nobody uses them; with --file, under a policy that is not published yet',
    )
    .requiredOption('--within <duration>', 'as 30d')
    .option(...policyOption)
    .option('--file <path>', 'a policy file with the same id')
    .option('--json', 'one JSON object a line')
    .action(atGateway(due));
  tokens
    .command(`create ${identityParameter}`)
    .description('makes a token, and prints it once')
    .requiredOption('--name <text>', 'what it is for')
    .option(...policyOption)
    .option('--type <type>', 'a type of the policy')
    .option('--scope <scope>', 'may be repeated', collect, [])
    .option(
      '--role <role>',
      "a role of the identity, for the policy's ceilings; may be repeated",
      collect,
      [],
    )
    .option('--expires <time>', 'a day (UTC) or a time, as 2027-01-31')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(atGateway(create));
  tokens
    .command('rotate <tokenId>')
    .description('ends a token, and prints another one that takes its place')
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(
      atGateway(async (gateway, id: string, flags: ChangeFlags) => {
        const request = { path: pathOf(id, 'rotate'), what: `end the token ${id} and make another one` };
        sayOnce(await decide<Made>(gateway, request, flags), flags);
      }),
    );
  tokens
    .command('revoke <tokenId>')
    .description('ends a token')
    .requiredOption(...reasonOption)
    .option(...dryRunOption)
    .option(...jsonOption)
    .action(atGateway(revoke));
  return tokens;
}

async function list(
  gateway: GatewayCalls,
  text: string,
  { ended, json }: { ended?: true; json?: true },
): Promise<void> {
  const path = `/v1/identities/${await identityOf(gateway, text)}/personal-tokens`;
  const { tokens } = await gateway.get<{ tokens: Listed[] }>(path, { ended: ended === true });
  sayRows(columns, tokens, { json: json === true, none: 'There are none.' });
}

async function due(gateway: GatewayCalls, { within, policy: policyId, file, json }: DueFlags): Promise<void> {
  const ahead = durationFlag('--within', within);
  const text = file === undefined ? undefined : await readPolicyFile(file);
  const rows: Due[] = [];
  let after: string | undefined;
  do {
    const body = { within, ...given({ policyId, file, text, after }) };
    const page = await gateway.post<DuePage>('/v1/personal-tokens/due', body);
    rows.push(...page.tokens);
    after = page.next;
  } while (after !== undefined);
  sayRows(dueColumns, rows, { json: json === true, none: 'No token ends by then.' });
  const expired = rows.filter(({ why }) => why === 'expired').length;
  console.error(`${rows.length - expired} unused, ${expired} expired within ${formatDuration(ahead)}`);
}

async function create(gateway: GatewayCalls, text: string, flags: CreateFlags): Promise<void> {
  const { name, policy: policyId, type, scope: scopes, role: roles, expires } = flags;
  const expiresAt = expires === undefined ? undefined : rfc3339(beginOf('--expires', expires));
  const id = await identityOf(gateway, text);
  const body = { name, scopes, roles, ...given({ policyId, type, expiresAt }) };
  const request = { path: `/v1/identities/${id}/personal-tokens`, body, what: `make a token for ${id}` };
  sayOnce(await decide<Made>(gateway, request, flags), flags);
}

async function revoke(
  gateway: GatewayCalls,
  id: string,
  flags: ChangeFlags & { reason: string },
): Promise<void> {
  const body = { reason: checkedReason(flags.reason) };
  const request = { path: pathOf(id, 'revoke'), body, what: `end the token ${id}` };
  const answer = await decide<Revoked>(gateway, request, flags);
  if (answer === undefined) return;
  if (flags.json === true) sayJson(answer);
  else say(`${answer.tokenId}  ${answer.revoked ? 'revoked' : 'had ended before'}`);
}

const pathOf = (tokenId: string, what: string) =>
  `/v1/personal-tokens/${encodeURIComponent(tokenId)}/${what}`;

/** The token alone goes to the standard output, so that it can be piped to where it belongs. */
function sayOnce(made: Made | undefined, { json }: ChangeFlags): void {
  if (made === undefined) return;
  if (json === true) sayJson(made);
  else say(made.token);
  console.error(`${made.tokenId}  this is the only time that the token is shown`);
}

const columns: readonly Column<Listed>[] = [
  { title: 'token', of: ({ tokenId }) => tokenId },
  { title: 'type', of: ({ type }) => type },
  { title: 'state', of: ({ state, endedAt }) => (endedAt === undefined ? state : `${state} ${endedAt}`) },
  { title: 'created', of: ({ createdAt }) => createdAt },
  { title: 'used', of: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  { title: 'expires', of: ({ expiresAt }) => expiresAt ?? 'never' },
  { title: 'ends unused', of: endsUnused },
  { title: 'scopes', of: ({ scopes }) => scopes.join(' ') || 'none' },
  { title: 'name', of: ({ name }) => name },
];

function endsUnused({ inactiveMs, policyId }: Listed): string {
  if (inactiveMs === null) return 'never';
  if (inactiveMs !== undefined) return `after ${formatDuration(inactiveMs)}`;
  return policyId === undefined ? "the app's own policy" : `no limits in the policy "${policyId}"`;
}

const dueColumns: readonly Column<Due>[] = [
  { title: 'token', of: ({ tokenId }) => tokenId },
  { title: 'identity', of: ({ identityId }) => identityId },
  { title: 'type', of: ({ type }) => type },
  { title: 'why', of: ({ why }) => why },
  { title: 'ends', of: ({ endsAt }) => endsAt },
];
