/** `dormouse mails|mail …`: the mail server's answers, and bounces from a pipe. */
import type { Command } from 'commander';
import { withDormouse, withPool } from '../cli/connection.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { type UnmatchedBounce, unmatchedBounces } from './bounces-table.js';
import { readDeliveryReport } from './delivery-report.js';
import { listMails, type MailRow } from './mails-table.js';

/** sysexits(3): a mail server that pipes to this command keeps the message and tries again later. */
const tryLater = 75;
/** A longer message can't be a report of a mail of ours. */
const longestReport = 262_144;

export function addMailCommands(program: Command): void {
  program
    .command('mails <identityId>')
    .description('every mail to an identity, and the proof that the mail server gave; no address')
    .option('--json', 'one JSON object a line')
    .action(async (id: string, options: { json?: true }) => {
      const rows = await withPool((pool) => listMails(pool, parseIdentityId(id)));
      for (const row of rows) console.log(options.json ? JSON.stringify(row) : lineOf(row));
    });
  const mail = program.command('mail').description('mails that came back');
  mail
    .command('bounce')
    .description('take a delivery status notification from standard input, as a mail server pipes it')
    .action(async () => {
      const bounce = await readDeliveryReport(await readInput());
      // Every message is accepted: a refusal would bounce as yet another mail.
      if (bounce === undefined) return;
      try {
        await withDormouse((dormouse) => dormouse.noteBounce(bounce, 'pipe'));
      } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        process.exitCode = tryLater;
      }
    });
  mail
    .command('unmatched')
    .description('reports that match no mail: what they call it, where they came in; no address')
    .option('--json', 'one JSON object a line')
    .action(showUnmatched);
}

async function showUnmatched({ json }: { json?: true }): Promise<void> {
  const rows = await withPool(unmatchedBounces);
  for (const row of rows) console.log(json ? JSON.stringify(row) : unmatchedLine(row));
}

function unmatchedLine({ receivedAt, source, kind, code, reference }: UnmatchedBounce): string {
  return [iso(receivedAt), source.padEnd(8), kind.padEnd(9), code ?? '', reference]
    .filter((part) => part !== '')
    .join('  ');
}

/** @returns the message; empty when it is too long to be a report */
async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length <= longestReport) chunks.push(bytes);
  }
  return length <= longestReport ? Buffer.concat(chunks) : Buffer.alloc(0);
}

const iso = (at: number) => new Date(at).toISOString();

function lineOf(row: MailRow): string {
  const codes = [row.replyCode, row.enhancedCode].filter((code) => code !== null).join(' ');
  const server = row.acceptedBy === null ? '' : `by ${row.acceptedBy}`;
  const bounce =
    row.bounceClass === null || row.bouncedAt === null
      ? ''
      : `${row.bounceClass} bounce ${row.bounceCode ?? ''} at ${iso(row.bouncedAt)}`;
  return [
    iso(row.settledAt ?? row.firstTriedAt),
    row.kind.padEnd(17),
    row.state.padEnd(9),
    codes,
    row.queueId ?? '',
    server,
    bounce,
    row.messageId,
  ]
    .filter((part) => part !== '')
    .join('  ');
}
