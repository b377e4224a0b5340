/** `dormouse audit receipt`: shows the signed receipt of a deletion, and whether its signature holds. */
import type { Command } from 'commander';
import { findKeys } from '../audit/head-commands.js';
import { readAudit } from '../audit/log-table.js';
import { withPool } from '../cli/connection.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { openReceipt } from './receipt.js';

export function addAuditReceiptCommand(audit: Command): void {
  audit
    .command('receipt <identityId>')
    .description(
      'the signed receipt of a deletion; exits 1 where there is none, or its signature does not hold',
    )
    .option('--public-key <file>', 'check by this key instead of DORMOUSE_AUDIT_SIGNING_KEY')
    .action(async (id: string, options: { publicKey?: string }) => {
      const rows = await withPool((pool) => readAudit(pool, parseIdentityId(id)));
      const signed = rows.map(({ detail }) => detail.receipt).findLast((value) => typeof value === 'string');
      if (typeof signed !== 'string') {
        throw new Error(`no signed receipt of a deletion of ${id}. See: dormouse audit show ${id}`);
      }
      const receipt = await openReceipt(signed, await findKeys(options.publicKey));
      if (receipt === undefined) throw new Error('the receipt was not signed by this key');
      console.log(JSON.stringify(receipt, null, 2));
      console.error(signed);
    });
}
