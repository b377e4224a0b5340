/** `dormouse audit …`: read, verify, sign and export the audit log. */
import type { Command } from 'commander';
import { parseIdentityId } from '../domain/identity-id.js';
import { readAudit } from '../store/audit-log.js';
import { addAuditExportCommands } from './audit-export-commands.js';
import { addAuditHeadCommands } from './audit-head-commands.js';
import { addAuditPruneCommand } from './audit-prune-command.js';
import { addAuditReceiptCommand } from './audit-receipt-command.js';
import { withPool } from './connection.js';

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
