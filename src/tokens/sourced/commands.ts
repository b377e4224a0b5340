/** `dormouse tokens sources …`: what the sweep would end in an app's own table of tokens. Changes nothing. */
import { type Command, Option } from 'commander';
import type pg from 'pg';
import { countGrants, population } from '../../breaker/grants-table.js';
import { atInstallation } from '../../cli/at-installation.js';
import { withPool } from '../../cli/connection.js';
import { ConfigError, readConfig } from '../../config.js';
import { allowedActs } from '../../domain/breaker/rules.js';
import { formatDuration, inDays } from '../../domain/duration.js';
import { breakerRules } from '../../domain/plan.js';
import { createOryClients } from '../../ory/clients.js';
import { databaseNow } from '../../postgres/database-now.js';
import { csvLine } from '../../process/csv.js';
import { type DueSourced, type JudgedSource, judgeSource, type SourceDependencies } from './judge.js';
import { loadTokenSources } from './load.js';
import { withSource } from './open.js';

interface PreviewOptions {
  readonly file?: string;
  readonly format: 'csv' | 'json';
}

/** @param tokens the command `dormouse tokens` */
export function addTokenSourceCommands(tokens: Command): void {
  // At a gateway it would need every app's password, and --file would be SQL from whoever calls.
  const sources = atInstallation(tokens.command('sources')).description("apps' own tables of tokens");
  sources
    .command('preview <name>')
    .description('the tokens that the sweep would end now, and why; nothing is changed')
    .option('--file <path>', 'a file of sources that the workers do not have yet')
    .addOption(
      new Option('--format <format>', 'csv, or one JSON object a line')
        .choices(['csv', 'json'])
        .default('csv'),
    )
    .action(async (name: string, options: PreviewOptions) => preview(name, options));
}

async function preview(name: string, { file, format }: PreviewOptions): Promise<void> {
  const config = readConfig([
    'DORMOUSE_TOKEN_SOURCES_FILE',
    'DORMOUSE_POLICY_ID',
    'DORMOUSE_KRATOS_ADMIN_URL',
    'DORMOUSE_HYDRA_ADMIN_URL',
    'DORMOUSE_ORY_TOKEN',
  ]);
  const path = file ?? config.DORMOUSE_TOKEN_SOURCES_FILE;
  if (path === undefined)
    throw new ConfigError('name a file of sources: DORMOUSE_TOKEN_SOURCES_FILE, or --file');
  const connected = (await loadTokenSources(path)).find(({ source }) => source.name === name);
  if (connected === undefined) throw new Error(`${path} has no source with this name`);
  const { identities } = createOryClients({
    kratosAdminUrl: config.DORMOUSE_KRATOS_ADMIN_URL,
    hydraAdminUrl: config.DORMOUSE_HYDRA_ADMIN_URL,
    token: config.DORMOUSE_ORY_TOKEN,
  });
  await withPool(async (pool) => {
    const open = { identities, pool, policyId: config.DORMOUSE_POLICY_ID, now: await databaseNow(pool) };
    await withSource(connected, open, async (source) => {
      const judged = await judgeSource(source);
      print(judged.due, source.now, format);
      console.error(summaryOf(judged));
      console.error(await breakerLine(pool, source, judged.due.length));
    });
  });
}

function print(due: readonly DueSourced[], now: number, format: PreviewOptions['format']): void {
  if (format === 'csv') {
    process.stdout.write(
      csvLine(['identity_id', 'id', 'why', 'rule', 'created_at', 'last_used_at', 'limit_at', 'unused_days']),
    );
  }
  for (const { identityId, token, why, rule, endedAt } of due) {
    const { id, createdAt, lastUsedAt } = token;
    const unusedDays = Math.floor(inDays(now - (lastUsedAt ?? createdAt)));
    const used = lastUsedAt === undefined ? null : iso(lastUsedAt);
    const cells = [identityId, id, why, rule ?? null, iso(createdAt), used, iso(endedAt), unusedDays];
    if (format === 'csv') process.stdout.write(csvLine(cells));
    else {
      const line = {
        identityId,
        id,
        why,
        rule,
        createdAt: iso(createdAt),
        lastUsedAt: used,
        limitAt: iso(endedAt),
        unusedDays,
      };
      console.log(JSON.stringify(line));
    }
  }
}

function summaryOf({ due, spared, live, unusable }: JudgedSource): string {
  const strange = Object.entries(unusable).map(([why, count]) => `${count} left alone (${why})`);
  return [
    `${due.length} would end`,
    `${spared} of exempt owners stay`,
    ...(live === 0 ? [] : [`${live} are over no limit, though "select" returned them`]),
    ...strange,
  ].join(', ');
}

async function breakerLine(
  pool: pg.Pool,
  { published, now }: SourceDependencies,
  due: number,
): Promise<string> {
  const rules = breakerRules(published.policy);
  const done = await countGrants(pool, 'endPersonal', now - rules.windowMs);
  const allowed = allowedActs(rules, 'endPersonal', await population(pool));
  const room = Math.max(0, allowed - done);
  const verdict = due > room ? 'it would hold all of them' : 'it would let them pass';
  return `the breaker allows ${room} more ends within ${formatDuration(rules.windowMs)}: ${verdict}`;
}

const iso = (at: number): string => new Date(at).toISOString();
