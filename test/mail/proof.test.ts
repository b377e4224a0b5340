/** The parts of the mail server's answer that are kept, and the parts that never are. */
import { afterEach, describe, expect, it } from 'vitest';
import { findStatusCode } from '../../src/mail/bounce.js';
import { renderMail } from '../../src/mail/render.js';
import { findMessageId } from '../../src/smtp/mail-name.js';
import { stableMessageId } from '../../src/smtp/message-id.js';
import { createMailTransport } from '../../src/smtp/transport.js';
import { factsOf } from './facts.js';
import { startRaw } from './smtp-fixture.js';

const messageId = stableMessageId('key', 'no-reply@acme.example');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Sends a mail to a server that answers the final dot with `answer`. */
async function sendTo(answer: string) {
  let inMessage = false;
  const raw = await startRaw('220 raw\r\n', (chunk, socket) => {
    if (inMessage) {
      if (chunk.endsWith('\r\n.\r\n')) socket.end(`${answer}\r\n`);
    } else if (chunk.startsWith('DATA')) {
      inMessage = true;
      socket.write('354 go\r\n');
    } else socket.write('250 ok\r\n');
  });
  cleanups.push(() => raw.close());
  const transport = createMailTransport({ smtpUrl: raw.url, from: 'no-reply@acme.example' });
  cleanups.push(() => transport.close());
  return transport.send({ to: 'x@people.example', messageId, rendered: renderMail(factsOf('warn')) });
}

describe('an acceptance', () => {
  it.each([
    ['250 2.0.0 Ok: queued as 4F2B1C3D', '2.0.0', '4F2B1C3D'],
    ['250 OK id=1tEg2x-00000002abc-1234', undefined, '1tEg2x-00000002abc-1234'],
    ['250 Ok 0100018f3c2b1a-5d2e7c1f-000000', undefined, '0100018f3c2b1a-5d2e7c1f-000000'],
    ['250 2.1.5 ok', '2.1.5', undefined],
    ['250 2.0.0 queued as anna', '2.0.0', undefined],
    ['250 2.0.0 queued as anna1990@people.example', '2.0.0', undefined],
    ['250 2.0.0 delivered to x1@people.example id=anna1990@people.example', '2.0.0', undefined],
  ])('%s', async (answer, enhancedCode, queueId) => {
    expect(await sendTo(answer)).toEqual({
      outcome: 'accepted',
      messageId,
      smtpCode: 250,
      ...(enhancedCode && { enhancedCode }),
      ...(queueId && { queueId }),
    });
  });
});

describe('a bounce', () => {
  it.each([
    [messageId, messageId],
    [messageId.slice(1, -1), messageId],
    [` x ${messageId} y`, messageId],
    ['<other@acme.example>', undefined],
    ['', undefined],
  ])('names its mail: %s', (text, found) => expect(findMessageId(text)).toBe(found));

  it.each([
    ['smtp; 550 5.1.1 <gone@people.example> unknown', '5.1.1'],
    ['5.7.606', '5.7.606'],
    ['rejected by 10.5.1.1', undefined],
    ['no code, gone@people.example', undefined],
  ])('leaves a code: %s', (text, found) => expect(findStatusCode(text)).toBe(found));
});
