/** `dormouse tokens …`: personal access tokens, for operators. */
import { type Command, Option } from 'commander';
import type pg from 'pg';
import { actorOption, checkedActor, checkedDecision, type Decision, reasonOption } from '../../cli/actor.js';
import { atInstallation } from '../../cli/at-installation.js';
import { withPool } from '../../cli/connection.js';
import { durationFlag } from '../../cli/durations.js';
import { beginOf } from '../../cli/times.js';
import { formatDuration } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { parseIdentityId } from '../../domain/identity-id.js';
import type { Policy } from '../../domain/policy/schema.js';
import { type PersonalLimits, personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { judgeToken } from '../../domain/tokens/personal-verdict.js';
import { PolicyReader } from '../../policies/policies-table.js';
import { readPolicyFile } from '../../policies/read-file.js';
import { parsePolicyFile } from '../../policies/yaml.js';
import { databaseNow } from '../../postgres/database-now.js';
import { endingBy } from './ending-soon.js';
import { createToken, type IssuedToken, rotateToken } from './issue.js';
import { readToken, readTokensOf, revokeToken, type StoredToken } from './personal-tokens-table.js';

interface CreateOptions {
  readonly name: string;
  readonly policy: string;
  readonly type?: string;
  readonly scope: string[];
  readonly role: string[];
  readonly expires?: string;
  readonly actor: string;
}

const collect = (text: string, earlier: string[]) => [...earlier, text];

/** @returns the command `dormouse tokens`, for those of other rooms */
export function addPersonalTokenCommands(program: Command): Command {
  const tokens = atInstallation(program.command('tokens')).description('personal access tokens');
  tokens
    .command('list <identityId>')
    .description('the tokens of an identity, the newest first; never the tokens themselves')
    .option('--ended', 'also those that ended')
    .option('--json', 'one JSON object a line')
    .action(async (id: string, options: { ended?: true; json?: true }) => list(id, options));
  tokens
    .command('due')
    .description(
      'the tokens that end within a time if nobody uses them; with --file, under a policy that is not published yet',
    )
    .requiredOption('--within <duration>', 'as 30d')
    .addOption(policyOption())
    .option('--file <path>', 'a policy file with the same id')
    .action(async (options: { within: string; policy: string; file?: string }) => due(options));
  tokens
    .command('create <identityId>')
    .description('makes a token, and prints it once')
    .requiredOption('--name <text>', 'what it is for')
    .addOption(policyOption())
    .option('--type <type>', 'a type of the policy')
    .option('--scope <scope>', 'may be repeated', collect, [])
    .option(
      '--role <role>',
      "a role of the identity, for the policy's ceilings; may be repeated",
      collect,
      [],
    )
    .option('--expires <time>', 'a day (UTC) or a time, as 2027-01-31')
    .option(...actorOption)
    .action(async (id: string, options: CreateOptions) => create(id, options));
  tokens
    .command('rotate <tokenId>')
    .description('ends a token, and prints another one that takes its place')
    .option(...actorOption)
    .action(async (id: string, { actor }: { actor: string }) => rotate(id, checkedActor(actor)));
  tokens
    .command('revoke <tokenId>')
    .description('ends a token')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(async (id: string, decision: Decision) => revoke(id, checkedDecision(decision)));
  return tokens;
}

function policyOption(): Option {
  return new Option('--policy <id>', 'a published policy').env('DORMOUSE_POLICY_ID').default('default');
}

/** Exempt owners are in it as far as their standing says so: the sweep asks Kratos at the time of the act. */
async function due({
  within,
  policy: id,
  file,
}: {
  within: string;
  policy: string;
  file?: string;
}): Promise<void> {
  const ahead = durationFlag('--within', within);
  await withPool(async (pool) => {
    const policy = file === undefined ? await personalPolicy(pool, id) : await policyOfFile(id, file);
    const now = await databaseNow(pool);
    const counts = { inactive: 0, expired: 0 };
    for await (const token of endingBy(pool, id, policy, now + ahead)) {
      const owner = token.owner.isSpared === true ? { isSpared: true as const } : {};
      const verdict = judgeToken(token, personalLimits(policy, token), owner, policy, now + ahead);
      if (verdict.state === 'live' || (verdict.why !== 'inactive' && verdict.why !== 'expired')) continue;
      counts[verdict.why] += 1;
      console.log(
        [
          token.tokenId,
          token.identityId,
          token.type,
          verdict.why,
          new Date(verdict.at ?? now).toISOString(),
        ].join('  '),
      );
    }
    console.error(`${counts.inactive} unused, ${counts.expired} expired within ${formatDuration(ahead)}`);
  });
}

/** @throws PolicyFileError, or Error where the file holds another policy, or none for tokens */
async function policyOfFile(id: string, file: string): Promise<PersonalTokensPolicy> {
  const policy = parsePolicyFile(await readPolicyFile(file), file);
  if (policy.id !== id)
    throw new Error(`--file: holds the policy "${policy.id}". Write --policy ${policy.id}`);
  return sectionOf(policy, id);
}

async function list(id: string, { ended, json }: { ended?: true; json?: true }): Promise<void> {
  const identityId = parseIdentityId(id);
  await withPool(async (pool) => {
    const now = await databaseNow(pool);
    const policies = new Map<string, PersonalTokensPolicy | undefined>();
    for (const token of await readTokensOf(pool, identityId, { ended: ended === true })) {
      const { policyId } = token;
      if (policyId !== undefined && !policies.has(policyId)) {
        policies.set(policyId, await personalPolicyOrNone(pool, policyId));
      }
      const policy = policyId === undefined ? undefined : policies.get(policyId);
      console.log(json === true ? JSON.stringify(token) : lineOf(token, policy, now));
    }
  });
}

async function create(id: string, options: CreateOptions): Promise<void> {
  const identityId = parseIdentityId(id);
  const { name, type, scope: scopes, role: roles, policy: policyId } = options;
  const actor = checkedActor(options.actor);
  const expiresAt = options.expires === undefined ? undefined : beginOf('--expires', options.expires);
  await withPool(async (pool) => {
    const policy = await personalPolicy(pool, policyId);
    const outcome = await createToken(
      { pool, policy, policyId, now: await databaseNow(pool) },
      { identityId, roles, actor },
      { name, scopes, ...given({ type, expiresAt }) },
    );
    if (outcome.kind === 'refused') {
      const flag = { name: '--name', type: '--type', scopes: '--scope', expiresAt: '--expires' };
      throw new Error(`${flag[outcome.problem.field]}: ${outcome.problem.message}`);
    }
    if (outcome.kind === 'too-many') {
      throw new Error(`the identity has ${outcome.atMost} live tokens already. Revoke one first`);
    }
    if (outcome.kind === 'owner-deleted') {
      throw new Error('the identity was deleted: no token is made for it any more');
    }
    print(outcome.issued);
  });
}

async function rotate(tokenId: string, actor: string): Promise<void> {
  await withPool(async (pool) => {
    const { policyId } = await known(pool, tokenId);
    if (policyId === undefined) {
      throw new Error("the token is under an app's own policy. Rotate it there, or revoke it");
    }
    const policy = await personalPolicy(pool, policyId);
    const outcome = await rotateToken({ pool, policy, now: await databaseNow(pool) }, { tokenId, actor });
    if (outcome.kind === 'none') throw new Error('the token is not live any more. Create another one');
    print(outcome.issued);
  });
}

async function revoke(tokenId: string, { actor, reason }: Decision): Promise<void> {
  await withPool(async (pool) => {
    await known(pool, tokenId);
    const isRevoked = await revokeToken(pool, { tokenId, actor, reason }, await databaseNow(pool));
    console.log(`${tokenId}  ${isRevoked ? 'revoked' : 'had ended before'}`);
  });
}

/** @throws Error where the text is no id, or names no token */
async function known(pool: pg.Pool, tokenId: string): Promise<StoredToken> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tokenId);
  const token = isId ? await readToken(pool, tokenId) : undefined;
  if (token !== undefined) return token;
  throw new Error('there is no token with this id. Take the id from: dormouse tokens list <identityId>');
}

/** @throws Error where the policy has no section for tokens. UnknownPolicyError */
async function personalPolicy(pool: pg.Pool, id: string): Promise<PersonalTokensPolicy> {
  const { policy } = await new PolicyReader(pool).read(id);
  return sectionOf(policy, id);
}

/** A token whose policy lost its section has to be found all the same: it may have to be revoked. */
async function personalPolicyOrNone(pool: pg.Pool, id: string): Promise<PersonalTokensPolicy | undefined> {
  return (await new PolicyReader(pool).read(id)).policy.tokens?.personal;
}

function sectionOf(policy: Policy, id: string): PersonalTokensPolicy {
  if (policy.tokens?.personal !== undefined) return policy.tokens.personal;
  throw new Error(`the policy "${id}" has no section "tokens.personal" (docs/personal-access-tokens.md)`);
}

function print({ token, stored }: IssuedToken): void {
  console.log(token);
  console.error(`${stored.tokenId}  this is the only time that the token is shown`);
}

/** @param policy absent: not known here, because it is the app's own or lost its section */
function lineOf(token: StoredToken, policy: PersonalTokensPolicy | undefined, now: number): string {
  const at = (time: number) => new Date(time).toISOString();
  const { tokenId, type, name, createdAt, lastUsedAt, ended, endedAt, scopes } = token;
  const limits = policy && personalLimits(policy, token);
  const verdict = policy && limits && judgeToken(token, limits, token.owner, policy, now);
  const state =
    ended === undefined
      ? verdict?.state === 'refused'
        ? verdict.why
        : 'live'
      : `${ended} ${at(endedAt ?? 0)}`;
  const unused = limits === undefined ? unknownLimits(token) : endsUnused(limits);
  const expiresAt = verdict?.state === 'live' ? verdict.expiresAt : (token.expiresAt ?? null);
  return [
    ...[tokenId, type, state, `created ${at(createdAt)}`],
    lastUsedAt === undefined ? 'never used' : `used ${at(lastUsedAt)}`,
    expiresAt === null ? 'no expiry' : `expires ${at(expiresAt)}`,
    ...[unused, scopes.join(' ') || 'no scope', name],
  ].join('  ');
}

function unknownLimits({ policyId }: StoredToken): string {
  return policyId === undefined ? "the app's own policy" : `no limits in the policy "${policyId}"`;
}

function endsUnused({ inactiveMs }: PersonalLimits): string {
  return `ends unused ${inactiveMs === null ? 'never' : `after ${formatDuration(inactiveMs)}`}`;
}
