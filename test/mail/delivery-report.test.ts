import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDeliveryReport } from '../../src/mail/delivery-report.js';
import { stableMessageId } from '../../src/smtp/message-id.js';

const messageId = stableMessageId('w/1/notice-delete', 'no-reply@acme.example');

interface Parts {
  status?: string;
  returned?: string;
  returnedType?: string;
  statusType?: string;
  headers?: string;
}

const failed = 'Final-Recipient: rfc822; gone@people.example\nAction: failed\nStatus: 5.1.1';
const returnedHeaders = `Received: from a by b\nMessage-ID: ${messageId}\nSubject: x\nTo: gone@people.example`;

/** A report as Postfix writes it. */
function report(parts: Parts = {}): string {
  return `From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: no-reply@acme.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
${parts.headers ?? ''}Content-Type: multipart/report; report-type=delivery-status;
\tboundary="A1B2.1/mx.example"

This is a MIME-encapsulated message.

--A1B2.1/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<gone@people.example>: unknown user. Action: failed

--A1B2.1/mx.example
Content-Description: Delivery report
Content-Type: ${parts.statusType ?? 'message/delivery-status'}

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: A1B2

${parts.status ?? failed}
Remote-MTA: dns; mx.people.example

--A1B2.1/mx.example
Content-Description: Undelivered Message
Content-Type: ${parts.returnedType ?? 'message/rfc822'}

${parts.returned ?? `${returnedHeaders}\n\nHello,\n`}
--A1B2.1/mx.example--
`;
}

const read = (text: string) => readDeliveryReport(Buffer.from(text.replaceAll('\n', '\r\n')));

describe('a delivery report', () => {
  it.each([
    ['a failure', {}, 'hard', '5.1.1'],
    ['given up after days in a queue', { status: 'Action: failed\nStatus: 4.4.7' }, 'hard', '4.4.7'],
    ['a delay', { status: 'Action: delayed\nStatus: 4.4.1' }, 'soft', '4.4.1'],
    [
      'in other letters, with a comment',
      { status: 'ACTION: Failed (permanent)\nstatus: 5.2.2 (full)' },
      'hard',
      '5.2.2',
    ],
    ['without a status', { status: 'Action: failed' }, 'hard', undefined],
    [
      'several recipients, the worst counts',
      { status: `Action: delayed\nStatus: 4.0.0\n\n${failed}` },
      'hard',
      '5.1.1',
    ],
    ['headers only', { returnedType: 'text/rfc822-headers', returned: returnedHeaders }, 'hard', '5.1.1'],
    ['for UTF-8 addresses', { statusType: 'message/global-delivery-status' }, 'hard', '5.1.1'],
    ['a folded Message-ID', { returned: `Message-ID:\n ${messageId}\n\n` }, 'hard', '5.1.1'],
    [
      'nothing returned, but In-Reply-To',
      { returned: '\n', headers: `In-Reply-To: ${messageId}\n` },
      'hard',
      '5.1.1',
    ],
  ] as const)('%s', async (_what, parts, kind, code) => {
    expect(await read(report(parts))).toEqual({ messageId, kind, ...(code && { code }) });
  });

  it.each([
    ['of a mail of somebody else', { returned: 'Message-ID: <x@example.org>\n\n' }],
    [
      'with our Message-ID in the body of the returned mail only',
      { returned: `Subject: x\n\nMessage-ID: ${messageId}\n` },
    ],
  ])('%s: has the reporting server’s name for the mail, and none of ours', async (_what, parts) => {
    expect(await read(report(parts))).toEqual({ kind: 'hard', code: '5.1.1', queueIds: ['A1B2'] });
  });

  it('with bare line feeds, as a pipe gives it', async () => {
    expect(await readDeliveryReport(Buffer.from(report()))).toMatchObject({ messageId, kind: 'hard' });
  });

  it.each([
    ['a delivery that succeeded', report({ status: 'Action: delivered\nStatus: 2.0.0' })],
    ['a relayed mail', report({ status: 'Action: relayed\nStatus: 2.0.0' })],
    [
      'a plain mail that says so',
      `Subject: failed\nIn-Reply-To: ${messageId}\n\nAction: failed\nStatus: 5.1.1\n`,
    ],
    ['nothing', ''],
    ['an unfinished report', report().slice(0, 420)],
    ['a mail nested without end', nested(200)],
  ])('is not %s', async (_what, text) => {
    expect(await read(text)).toBeUndefined();
  });

  it.each([
    [
      'qmail',
      `From: MAILER-DAEMON@mx.example\nTo: no-reply@acme.example\nSubject: failure notice\n
Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n
<gone@people.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n
--- Below this line is a copy of the message.\n\n${returnedHeaders}\n\nHello\n`,
    ],
    [
      'Exim',
      `From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: gone@people.example
Auto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n
A message that you sent could not be delivered.\n\n  gone@people.example\n    550 5.1.1 no such user\n
------ This is a copy of the message, including all the headers. ------\n\n${returnedHeaders}\n\nHello\n`,
    ],
    [
      'Exim, without a copy, to the return path of the mail',
      `From: Mailer-Daemon@mx.example\nX-Failed-Recipients: gone@people.example
Delivered-To: bounces+${messageId.slice(1, 41)}@acme.example\n\n  gone@people.example\n    550 5.1.1 no such user\n`,
    ],
  ])('in the plain text of %s', async (_what, text) => {
    const found = await read(text);
    expect(found).toMatchObject({ kind: 'hard', code: '5.1.1' });
    expect(found?.messageId?.slice(1, 41)).toBe(messageId.slice(1, 41));
    expect(found).not.toHaveProperty('copy');
  });

  const feedback = (type: string) => `From: fbl@isp.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: ${type}
Version: 1

--b
Content-Type: message/rfc822

${returnedHeaders}

Hello
--b--
`;
  it('a complaint of a provider of mailboxes (RFC 5965)', async () => {
    expect(await read(feedback('abuse'))).toEqual({ kind: 'complaint', messageId });
  });

  it.each([
    ['of "not-spam" feedback', feedback('not-spam')],
    [
      'of a vacation responder that answers to the return path',
      `To: bounces+${messageId.slice(1, 41)}@acme.example\nAuto-Submitted: auto-replied\nSubject: I am away\n\nHi. I am away.\n- Jo\n`,
    ],
  ])('is not one %s', async (_what, text) => {
    expect(await read(text)).toBeUndefined();
  });

  it('never makes the reader fail', async () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    const cut = fc.nat({ max: report().length });
    await fc.assert(
      fc.asyncProperty(bytes, cut, async (noise, at) => {
        const text = Buffer.from(report());
        const broken = Buffer.concat([text.subarray(0, at), noise, text.subarray(at)]);
        const found = await readDeliveryReport(broken);
        expect([undefined, 'hard', 'soft']).toContain(found?.kind);
        expect(await readDeliveryReport(noise)).toBeUndefined();
      }),
    );
  });
});

function nested(depth: number): string {
  const open = Array.from(
    { length: depth },
    (_x, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`,
  );
  return `${open.join('')}${report()}`;
}
