/**
 * `dormouse server credentials …`: the named credentials, on the database itself. The first one can be made only here, and so can those
 * that nobody may give to others at the gateway (domain/principals/granting.ts).
 */
import type { Command } from 'commander';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { withPool } from '../cli/connection.js';
import { durationFlag } from '../cli/durations.js';
import { beginOf } from '../cli/times.js';
import { networks } from '../config/forms.js';
import { given } from '../domain/given.js';
import { databaseNow } from '../postgres/database-now.js';
import { readCredentials, revokeCredential, type StoredCredential } from './credentials-table.js';
import { createCredential, rotateCredential } from './issue.js';

interface CreateOptions {
  readonly scope: string[];
  readonly owner?: string;
  readonly from?: string;
  readonly expires?: string;
  readonly actor: string;
}

interface RotateOptions {
  readonly overlap: string;
  readonly expires?: string;
  readonly actor: string;
}

const collect = (text: string, earlier: string[]) => [...earlier, text];

/** @param server the command that they are added to */
export function addServerCredentialCommands(server: Command): void {
  const credentials = server
    .command('credentials')
    .description('named credentials, also those that the gateway gives nobody (docs/principals.md)');
  credentials
    .command('create <name>')
    .description('makes a credential, and prints its secret once')
    .option('--scope <scope>', 'may be repeated; see: dormouse credentials scopes', collect, [])
    .option('--owner <id>', 'who answers for it; two of one owner count as one operator (default: --actor)')
    .option('--from <networks>', 'only from these addresses, as 10.0.0.0/8,192.0.2.7')
    .option('--expires <time>', 'a day (UTC) or a time, as 2027-01-31')
    .option(...actorOption)
    .action(create);
  credentials
    .command('list')
    .description('all credentials with scopes and last use; never their secrets')
    .option('--ended', 'also those that ended')
    .option('--json', 'one JSON object a line')
    .action(list);
  credentials
    .command('rotate <name>')
    .description('prints another secret; the earlier one stays good for the overlap')
    .option('--overlap <duration>', 'as 1d; 30d at most', '1d')
    .option('--expires <time>', 'of the new secret (default: it lives as long as the earlier one)')
    .option(...actorOption)
    .action(rotate);
  credentials
    .command('revoke <name>')
    .description('ends every secret of a credential; gateways refuse it within seconds')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(revoke);
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { scope: scopes, owner = options.actor, from, actor } = options;
  const expiresAt = options.expires === undefined ? undefined : beginOf('--expires', options.expires);
  const request = { name, owner, scopes, actor, networks: networksOf(from), ...given({ expiresAt }) };
  print(name, await withPool((pool) => createCredential(pool, request)));
}

async function rotate(name: string, options: RotateOptions): Promise<void> {
  const overlapMs = durationFlag('--overlap', options.overlap);
  const expiresAt = options.expires === undefined ? undefined : beginOf('--expires', options.expires);
  const request = { name, overlapMs, actor: options.actor, ...given({ expiresAt }) };
  print(name, await withPool((pool) => rotateCredential(pool, request)));
}

async function revoke(name: string, options: Decision): Promise<void> {
  const { actor, reason } = checkedDecision(options);
  const isRevoked = await withPool(async (pool) =>
    revokeCredential(pool, { name, actor, reason }, await databaseNow(pool)),
  );
  if (!isRevoked) throw new Error('name: no live credential has it. See: dormouse credentials list --ended');
  console.log(`${name}  revoked`);
}

async function list({ ended, json }: { ended?: true; json?: true }): Promise<void> {
  const credentials = await withPool((pool) => readCredentials(pool, { ended: ended === true }));
  for (const credential of credentials)
    console.log(json === true ? JSON.stringify(credential) : lineOf(credential));
}

/** @throws Error naming the flag */
function networksOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  const parsed = networks.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new Error(`--from: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}

function print(name: string, secret: string): void {
  console.log(secret);
  console.error(`${name}  this is the only time that the secret is shown`);
}

function lineOf(credential: StoredCredential): string {
  const at = (time: number) => new Date(time).toISOString();
  const { name, owner, createdAt, lastUsedAt, endsAt, endsWhy, networks: from, scopes } = credential;
  return [
    name,
    `owner ${owner}`,
    `created ${at(createdAt)}`,
    lastUsedAt === undefined ? 'never used' : `used ${at(lastUsedAt)}`,
    endsAt === undefined ? 'no end' : `${endsWhy} ${at(endsAt)}`,
    from.length === 0 ? 'from anywhere' : `from ${from.join(' ')}`,
    scopes.join(' '),
  ].join('  ');
}
