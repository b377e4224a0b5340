/** `dormouse audit …`: read, verify, sign and export the audit log. */
import type { Command } from 'commander';
import { withPool } from '../cli/connection.js';
import { addAuditReceiptCommand } from '../deletion/receipt-command.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { addAuditExportCommands } from './export-commands.js';
import { addAuditHeadCommands } from './head-commands.js';
import { readAudit } from './log-table.js';
import { addAuditPruneCommand } from './prune-command.js';

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('read, verify, sign and export the audit log');
  audit
    .command('show <identityId>')
    .description('what was done to an identity, under which policy, and why')
    .option('--json', 'one JSON object a line')
    .action(async (id: string, options: { json?: true }) => {
      const rows = await withPool((pool) => readAudit(pool, parseIdentityId(id)));
      for (const row of rows) {
        const policy = row.policyId === null ? '' : `${row.policyId}@${row.policyVersion}`;
        const line = [
          new Date(row.occurredAt).toISOString(),
          row.eventType.padEnd(24),
          row.outcome.padEnd(12),
          policy,
        ];
        console.log(
          options.json ? JSON.stringify(row) : [...line, `${row.daysInactive.toFixed(1)} d`].join('  '),
        );
      }
    });
  addAuditHeadCommands(audit);
  addAuditExportCommands(audit);
  addAuditReceiptCommand(audit);
  addAuditPruneCommand(audit);
}
