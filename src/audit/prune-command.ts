/** `dormouse audit prune`: removes the older part of the audit log, as the owner of the tables. */
import type { Command } from 'commander';
import { actorOption, checkedDecision, type Decision, reasonOption } from '../cli/actor.js';
import { findDatabase } from '../cli/connection.js';
import { beginOf } from '../cli/times.js';
import { createPool } from '../postgres/pool.js';
import { demandAuditKey } from './head-commands.js';
import { pruneLog } from './prune-log.js';

/** A log of several years is removed in one transaction. */
const longestMs = 3_600_000;

export function addAuditPruneCommand(audit: Command): void {
  audit
    .command('prune')
    .description(
      'remove the rows of before a time, below a signed one; export them first. As the owner of the tables',
    )
    .requiredOption('--before <time>', 'rows of before this time go, as 2026-01-31 or 2026-01-31T00:00:00Z')
    .option(...actorOption)
    .requiredOption(...reasonOption)
    .action(prune);
}

async function prune(options: Decision & { readonly before: string }): Promise<void> {
  const { actor, reason } = checkedDecision(options);
  const before = beginOf('--before', options.before);
  const key = await demandAuditKey();
  const { migrationUrl, url } = findDatabase();
  const pool = createPool({ url: migrationUrl ?? url, max: 2, statementTimeoutMs: longestMs });
  try {
    const pruned = await pruneLog(pool, key, { before, actor, reason, at: Date.now() });
    console.log(
      pruned === undefined
        ? 'nothing was removed: no signed row is from before that time'
        : `${pruned.rows} rows were removed; the log begins with row ${pruned.from}, which is signed`,
    );
  } finally {
    await pool.end();
  }
}
