/** `dormouse audit …`: read, verify, sign and export the audit log. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { atInstallation } from '../cli/at-installation.js';
import { atGateway } from '../cli/desk.js';
import { identityOf, identityParameter } from '../cli/identity.js';
import { sayRows } from '../cli/output.js';
import { addAuditReceiptCommand } from '../deletion/receipt-command.js';
import { addAuditExportCommands } from './export-commands.js';
import { addAuditHeadCommands } from './head-commands.js';
import { addAuditPruneCommand } from './prune-command.js';
import type { auditAnswer } from './routes.js';

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('read, verify, sign and export the audit log');
  audit
    .command(`show ${identityParameter}`)
    .description('what was done to an identity, under which policy, and why')
    .option('--json', 'one JSON object a line')
    .action(
      atGateway(async (gateway, text: string, { json }: { json?: true }) => {
        const path = `/v1/identities/${await identityOf(gateway, text)}/audit`;
        const { entries } = await gateway.get<z.input<typeof auditAnswer>>(path);
        sayRows(
          [
            { title: 'when', of: ({ occurredAt }) => occurredAt },
            { title: 'event', of: ({ eventType }) => eventType },
            { title: 'outcome', of: ({ outcome }) => outcome },
            { title: 'actor', of: ({ actor }) => actor },
            {
              title: 'policy',
              of: ({ policyId, policyVersion }) =>
                policyId === null ? undefined : `${policyId}@${policyVersion}`,
            },
            { title: 'inactive', of: ({ daysInactive }) => `${daysInactive.toFixed(1)} d` },
          ],
          entries,
          { json: json === true, none: 'The log has nothing about it.' },
        );
      }),
    );
  addAuditExportCommands(audit);
  const local = audit.commands.length;
  addAuditHeadCommands(audit);
  addAuditReceiptCommand(audit);
  addAuditPruneCommand(audit);
  for (const command of audit.commands.slice(local)) atInstallation(command);
}
