/** `dormouse mails|mail …`: the mail server's answers, and bounces from a pipe. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { atInstallation } from '../cli/at-installation.js';
import { withDormouse } from '../cli/connection.js';
import { atGateway } from '../cli/desk.js';
import { identityOf, identityParameter } from '../cli/identity.js';
import { sayRows } from '../cli/output.js';
import { readDeliveryReport } from './delivery-report.js';
import type { mailsAnswer, unmatchedAnswer } from './http/proof-routes.js';

type Mail = z.input<typeof mailsAnswer>['mails'][number];

/** sysexits(3): a mail server that pipes to this command keeps the message and tries again later. */
const tryLater = 75;
/** A longer message can't be a report of a mail of ours. */
const longestReport = 262_144;

export function addMailCommands(program: Command): void {
  program
    .command(`mails ${identityParameter}`)
    .description('every mail to an identity, and the proof that the mail server gave; no address')
    .option('--json', 'one JSON object a line')
    .action(
      atGateway(async (gateway, text: string, { json }: { json?: true }) => {
        const path = `/v1/identities/${await identityOf(gateway, text)}/mails`;
        const { mails } = await gateway.get<z.input<typeof mailsAnswer>>(path);
        sayRows(
          [
            { title: 'when', of: ({ settledAt, firstTriedAt }) => settledAt ?? firstTriedAt },
            { title: 'mail', of: ({ kind }) => kind },
            { title: 'state', of: ({ state }) => state },
            { title: 'answer', of: answerOf },
            { title: 'bounce', of: bounceOf },
            { title: 'message id', of: ({ messageId }) => messageId },
          ],
          mails,
          { json: json === true, none: 'No mail was sent to it.' },
        );
      }),
    );
  const mail = program.command('mail').description('mails that came back');
  atInstallation(mail.command('bounce'))
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
    .action(
      atGateway(async (gateway, { json }: { json?: true }) => {
        const { bounces } = await gateway.get<z.input<typeof unmatchedAnswer>>('/v1/mails/unmatched');
        sayRows(
          [
            { title: 'received', of: ({ receivedAt }) => receivedAt },
            { title: 'source', of: ({ source }) => source },
            { title: 'kind', of: ({ kind }) => kind },
            { title: 'code', of: ({ code }) => code ?? undefined },
            { title: 'reference', of: ({ reference }) => reference },
          ],
          bounces,
          { json: json === true, none: 'Every report matched a mail.' },
        );
      }),
    );
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

function answerOf({ replyCode, enhancedCode, queueId, acceptedBy }: Mail): string | undefined {
  const parts = [replyCode, enhancedCode, queueId, acceptedBy === null ? null : `by ${acceptedBy}`];
  return parts.filter((part) => part !== null).join(' ') || undefined;
}

function bounceOf({ bounceClass, bounceCode, bouncedAt }: Mail): string | undefined {
  return bounceClass === null ? undefined : `${bounceClass} bounce ${bounceCode ?? '?'} at ${bouncedAt}`;
}
