import { afterEach, describe, expect, it } from 'vitest';
import { readDeliveryReport } from '../../src/mail/delivery-report.js';
import { stableMessageId } from '../../src/smtp/message-id.js';
import { checkReturnPath, readReturnPath, returnPathFor } from '../../src/smtp/return-path.js';
import { createMailTransport } from '../../src/smtp/transport.js';
import { startRaw } from './smtp-fixture.js';

const messageId = stableMessageId('key', 'no-reply@acorn.example');
const name = messageId.slice(1, 41);
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe('a return path', () => {
  it('names the mail, and is read again', () => {
    const path = returnPathFor('bounces@acorn.example', messageId);
    expect(path).toBe(`bounces+${name}@acorn.example`);
    expect(path.length - '@acorn.example'.length).toBeLessThanOrEqual(64);
    expect(readReturnPath(`Bounces <${path}>`)).toBe(`<${name}@dormouse.invalid>`);
    expect(readReturnPath('bounces@acorn.example')).toBeUndefined();
  });

  it.each([
    'bounces',
    'a b@acorn.example',
    'a@b, c@d',
    '<a@b>',
    `${'x'.repeat(24)}@acorn.example`,
    '',
  ])('must be one address with room for a name: %s', (path) => {
    expect(() => checkReturnPath(path)).toThrow(/must be one address, as bounces@acorn.example/);
  });
});

describe('on the wire', () => {
  async function envelopeTo(offers: string[], returnPath?: string): Promise<string[]> {
    const lines: string[] = [];
    const server = await startRaw('220 mx\r\n', (chunk, socket) => {
      for (const line of chunk.split('\r\n').filter((one) => one !== '')) {
        lines.push(line);
        if (/^EHLO/u.test(line))
          socket.write(
            ['mx', ...offers].map((o, i) => `250${i === offers.length ? ' ' : '-'}${o}\r\n`).join(''),
          );
        else if (/^(MAIL|RCPT)/u.test(line)) socket.write('250 ok\r\n');
        else if (line === 'DATA') socket.write('354 go on\r\n');
        else if (line === '.') socket.write('250 Ok 0102018e0a1b2c3d-4e5f-000000\r\n');
      }
    });
    open.push(() => server.close());
    const transport = createMailTransport({
      smtpUrl: server.url,
      from: 'Acorn <no-reply@acorn.example>',
      ...(returnPath === undefined ? {} : { returnPath }),
    });
    open.push(() => transport.close());
    const rendered = { locale: 'en', subject: 's', text: 't', html: '<p>t</p>' } as const;
    const sent = await transport.send({ to: 'somebody@people.example', messageId, rendered });
    expect(sent).toMatchObject({ outcome: 'accepted', queueId: '0102018e0a1b2c3d-4e5f-000000' });
    return lines.filter((line) => /^(MAIL|RCPT)/u.test(line));
  }

  it('the return path names the mail, and so does the envelope if the server supports reports', async () => {
    expect(await envelopeTo(['DSN'], 'bounces@acorn.example')).toEqual([
      `MAIL FROM:<bounces+${name}@acorn.example> RET=HDRS ENVID=${name}`,
      'RCPT TO:<somebody@people.example> NOTIFY=FAILURE,DELAY',
    ]);
    expect(await envelopeTo(['8BITMIME'])).toEqual([
      'MAIL FROM:<no-reply@acorn.example>',
      'RCPT TO:<somebody@people.example>',
    ]);
  });
});

/** A report of a relay that replaced our Message-ID by its own. */
const report = (parts: { headers?: string; status?: string; returned?: string }) =>
  Buffer.from(`From: MAILER-DAEMON@relay.example
${parts.headers ?? 'To: no-reply@acorn.example'}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
${parts.status ?? ''}
Final-Recipient: rfc822; gone@people.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

${parts.returned ?? 'Subject: x'}

--b--
`);

describe('a report of a relay that rewrites the Message-ID names the mail', () => {
  const ours = { kind: 'hard', code: '5.1.1', messageId: `<${name}@dormouse.invalid>` };
  it.each([
    ['by the return path', { headers: `To: <bounces+${name}@acorn.example>` }, ours],
    ['by the return path in Delivered-To', { headers: `Delivered-To: bounces+${name}@acorn.example` }, ours],
    ['by the envelope identifier', { status: `Original-Envelope-Id: ${name}\n` }, ours],
    [
      'by what the relay called it at acceptance',
      { returned: 'Message-ID: <0102018e0a1b2c3d-4e5f-000000@eu-west-1.amazonses.com>' },
      { kind: 'hard', code: '5.1.1', queueIds: ['0102018e0a1b2c3d-4e5f-000000'] },
    ],
    [
      'by the queue that each server on the way had it in',
      {
        status: 'X-Postfix-Queue-ID: 4B7Qx1\n',
        returned:
          'Received: from worker (localhost [127.0.0.1])\n\tby relay.example (Postfix) with ESMTPS id 4A6Pw0\n\tfor <gone@people.example>\nReceived: from a by b id 5C8Ry2;\nMessage-ID: <abc@relay.example>',
      },
      { kind: 'hard', code: '5.1.1', queueIds: ['4B7Qx1', '4A6Pw0', '5C8Ry2'] },
    ],
    ['by nothing at all', {}, { kind: 'hard', code: '5.1.1' }],
  ])('%s', async (_what, parts, expected) => {
    expect(await readDeliveryReport(report(parts))).toEqual(expected);
  });
});
