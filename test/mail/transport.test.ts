import { afterEach, describe, expect, it } from 'vitest';
import { mailHeaders } from '../../src/mail/headers.js';
import { renderMail } from '../../src/mail/render.js';
import { stableMessageId } from '../../src/smtp/message-id.js';
import {
  createMailTransport,
  type MailTransport,
  type MailTransportOptions,
  type OutgoingMail,
  TemporaryMailError,
} from '../../src/smtp/transport.js';
import { factsOf } from './facts.js';
import { type Faults, type SmtpFixture, startRaw, startSmtp } from './smtp-fixture.js';

const from = 'Acme Notes <no-reply@acme.example>';
const to = 'secret.person@people.example';
const messageId = stableMessageId('w/1/notice-delete', from);
const mail: OutgoingMail = {
  to,
  messageId,
  rendered: renderMail(factsOf('notice-delete', { locale: 'de' })),
  headers: mailHeaders('notice-delete', { locale: 'de' }),
};

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function connectTo(url: string, options: Partial<MailTransportOptions> = {}): MailTransport {
  const transport = createMailTransport({ smtpUrl: url, from, ...options });
  cleanups.push(() => transport.close());
  return transport;
}

async function setUp(
  faults: Faults = {},
  options: Partial<MailTransportOptions> = {},
): Promise<{ server: SmtpFixture; transport: MailTransport }> {
  const server = await startSmtp(faults);
  cleanups.push(() => server.close());
  return { server, transport: connectTo(server.url, options) };
}

async function failure(sending: Promise<unknown>): Promise<TemporaryMailError> {
  const error = await sending.then(
    (outcome) => new Error(`no failure but ${JSON.stringify(outcome)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof TemporaryMailError)) throw error;
  // Neither the message nor anything that a logger would print with it may tell who the mail was for.
  expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toMatch(/people\.example|secret/u);
  expect(error.cause).toBeUndefined();
  return error;
}

const manners = [
  { manner: 'pipelining', options: { hidePIPELINING: false } },
  { manner: 'step by step', options: { hidePIPELINING: true } },
];

describe.each(manners)('one mail, $manner', ({ options }) => {
  it('is accepted', async () => {
    const { server, transport } = await setUp({ options });
    expect(await transport.send(mail)).toEqual({ outcome: 'accepted', messageId, smtpCode: 250 });
    expect(server.recipients).toEqual([to]);
    const [message = ''] = server.messages;
    expect(message).toContain(`Message-ID: ${messageId}`);
    expect(message).toContain('Auto-Submitted: auto-generated');
    expect(message).toContain('X-Dormouse-Kind: notice-delete');
    expect(message).toContain('Content-Type: multipart/alternative');
    expect(message).toContain(`To: ${to}`);
  });

  it.each([
    [550, '5.1.1 <secret.person@people.example> unknown', '5.1.1'],
    [552, '5.2.2 mailbox full', '5.2.2'],
    [501, 'bad address', undefined],
  ])('is rejected by %d at RCPT TO', async (code, text, enhancedCode) => {
    const { server, transport } = await setUp({ rcptTo: () => ({ code, text }), options });
    expect(await transport.send(mail)).toEqual({
      outcome: 'rejected',
      smtpCode: code,
      ...(enhancedCode === undefined ? {} : { enhancedCode }),
    });
    expect(server.messages).toHaveLength(0);
  });

  it('is rejected by 552 after DATA', async () => {
    const { server, transport } = await setUp({
      message: () => ({ code: 552, text: '5.2.3 too big for the mailbox' }),
      options,
    });
    expect(await transport.send(mail)).toEqual({
      outcome: 'rejected',
      smtpCode: 552,
      enhancedCode: '5.2.3',
    });
    expect(server.messages).toHaveLength(1);
  });

  it.each([
    [550, '5.4.5 Daily user sending quota exceeded'],
    [554, `5.7.1 <${to}>: Relay access denied`],
    [550, '5.7.26 unauthenticated mail is not accepted'],
    [552, '5.3.4 message too big for the system'],
    [554, `<${to}>: Relay access denied`],
    [550, 'sending quota of this account is used up'],
    [554, 'blocked using a blocklist'],
    [550, '4.7.1 client host is blocked'],
    [550, '#5.7.1 your access is rejected'],
    [550, '5.1.8 sender address rejected: domain not found'],
    [550, '5.1.0 <no-reply@acorn.example>: Sender address rejected: User unknown in local recipient table'],
    [554, 'Message rejected: Email address is not verified. The following identities failed the check'],
    [554, 'Message rejected: Sending paused for this account'],
    [550, 'Administrative prohibition'],
  ])('of which the server says %d %s is not refused for the recipient: it fails for now', async (code, text) => {
    for (const faults of [{ rcptTo: () => ({ code, text }) }, { message: () => ({ code, text }) }]) {
      const { transport } = await setUp({ ...faults, options });
      const error = await failure(transport.send(mail));
      expect(error).toMatchObject({ smtpCode: code, concernsServer: true });
      expect(String(error)).not.toContain(to);
    }
  });

  it('whose code says "not now" under a number that says "never" fails for now, for this recipient', async () => {
    const { transport } = await setUp({ rcptTo: () => ({ code: 550, text: '4.2.2 over quota' }), options });
    expect(await failure(transport.send(mail))).toMatchObject({ smtpCode: 550, concernsServer: false });
  });

  it.each([
    [552, 'mailbox quota exceeded'],
    [550, 'user is over quota'],
    [550, 'no such user, mail from you is blocked'],
  ])('of which the server says %d %s is refused for the recipient', async (code, text) => {
    const { transport } = await setUp({ rcptTo: () => ({ code, text }), options });
    expect(await transport.send(mail)).toMatchObject({ outcome: 'rejected', smtpCode: code });
  });

  it.each([
    ['rcpt-to', 451, { rcptTo: () => ({ code: 451, text: `<${to}> greylisted` }) }],
    ['rcpt-to', 530, { rcptTo: () => ({ code: 530 }) }],
    ['message', 451, { message: () => ({ code: 451 }) }],
    ['message', 421, { message: () => ({ code: 421 }) }],
    ['mail-from', 553, { mailFrom: () => ({ code: 553 }) }],
    ['mail-from', 452, { mailFrom: () => ({ code: 452 }) }],
    ['greeting', 421, { connect: () => ({ code: 421 }) }],
    ['greeting', 554, { connect: () => ({ code: 554 }) }],
  ] satisfies Array<
    [string, number, Faults]
  >)('fails for now at %s by %d', async (phase, smtpCode, faults) => {
    const { transport } = await setUp({ ...faults, options });
    expect(await failure(transport.send(mail))).toMatchObject({ phase, smtpCode });
  });

  it.each([
    ['MAIL FROM', { mailFrom: () => 'drop' }],
    ['RCPT TO', { rcptTo: () => 'drop' }],
  ] satisfies Array<[string, Faults]>)('fails for now when dropped at %s', async (_step, faults) => {
    const { server, transport } = await setUp({ ...faults, options });
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'mail-from' });
    expect(server.messages).toHaveLength(0);
    expect(server.connections()).toBe(1);
  });

  it('is ambiguous when dropped after the final dot, and not sent again', async () => {
    const { server, transport } = await setUp({ message: () => 'drop', options });
    expect(await transport.send(mail)).toEqual({ outcome: 'ambiguous', messageId });
    expect(server.messages).toHaveLength(1);
    expect(server.connections()).toBe(1);
  });

  it('is ambiguous when the answer to the final dot takes too long', async () => {
    const { server, transport } = await setUp(
      { message: () => 'hang', options },
      { timeouts: { socketMs: 1_500 } },
    );
    expect(await transport.send(mail)).toEqual({ outcome: 'ambiguous', messageId });
    expect(server.messages).toHaveLength(1);
    expect(server.connections()).toBe(1);
  });

  it('fails for now when the answer to RCPT TO takes too long', async () => {
    const { transport } = await setUp({ rcptTo: () => 'hang', options }, { timeouts: { socketMs: 1_500 } });
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'mail-from' });
  });
});

describe('a faulty server', () => {
  it('refuses the connection', async () => {
    const gone = await startRaw(undefined);
    await gone.close();
    const error = await failure(connectTo(gone.url).send(mail));
    expect(error).toMatchObject({ phase: 'connect' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it.each([
    ['garbage', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['binary garbage', '\u0000\u0016\u0003\u0001\r\n'],
    ['nothing', undefined],
  ])('greets with %s', async (_what, greeting) => {
    const raw = await startRaw(greeting);
    cleanups.push(() => raw.close());
    const transport = connectTo(raw.url, { timeouts: { greetingMs: 150 } });
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'greeting' });
  });

  it('closes before it greets', async () => {
    const { transport } = await setUp({ connect: () => 'drop' });
    expect((await failure(transport.send(mail))).phase).toBe('greeting');
  });

  it('does not know the credentials', async () => {
    const server = await startSmtp({ auth: () => ({ code: 535, text: 'secret-user unknown' }) });
    cleanups.push(() => server.close());
    const transport = connectTo(server.url.replace('//', '//secret-user:secret-pass@'));
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'auth', smtpCode: 535 });
    expect(await failure(transport.verify())).toMatchObject({ phase: 'auth' });
  });

  it('has no TLS where TLS is asked for', async () => {
    const { server } = await setUp();
    const transport = connectTo(`${server.url}?requireTLS=true`);
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'tls' });
  });

  /** Speaks correct SMTP up to the final dot, then says `last`. */
  async function scripted(last: (socket: import('node:net').Socket) => void): Promise<string> {
    let inMessage = false;
    const raw = await startRaw('220 raw\r\n', (chunk, socket) => {
      if (inMessage) {
        if (chunk.endsWith('\r\n.\r\n')) last(socket);
      } else if (chunk.startsWith('DATA')) {
        inMessage = true;
        socket.write('354 go\r\n');
      } else socket.write('250 ok\r\n');
    });
    cleanups.push(() => raw.close());
    return raw.url;
  }

  it.each([
    ['garbage', 'moo\r\n'],
    ['half of a yes', '250 ok'],
    ['the end of half a reply', '250-ok\r\n'],
  ])('answers the final dot with %s: ambiguous', async (_what, answer) => {
    const transport = connectTo(await scripted((socket) => socket.end(answer)));
    expect(await transport.send(mail)).toEqual({ outcome: 'ambiguous', messageId });
  });

  it('drips an endless answer to the final dot: ambiguous after the total time', async () => {
    const url = await scripted((socket) => {
      const drip = setInterval(() => socket.write('250-still here\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    const transport = connectTo(url, { timeouts: { socketMs: 10_000, totalMs: 3_000 } });
    expect(await transport.send(mail)).toEqual({ outcome: 'ambiguous', messageId });
  });
});

describe('kept connections', () => {
  it('carry mail after mail', async () => {
    const { server, transport } = await setUp();
    for (let i = 0; i < 3; i++) expect(await transport.send(mail)).toMatchObject({ outcome: 'accepted' });
    expect(server.connections()).toBe(1);
    expect(server.messages).toHaveLength(3);
  });

  it('are replaced when the server closed them in between', async () => {
    const { server, transport } = await setUp();
    await transport.send(mail);
    server.cut();
    expect(await transport.send(mail)).toMatchObject({ outcome: 'accepted' });
    expect(server.connections()).toBe(2);
    expect(server.messages).toHaveLength(2);
  });

  it.each([
    'drop',
    { code: 421 },
  ] as const)('are replaced when the server ends them as the next mail comes: %j', async (fault) => {
    const { server, transport } = await setUp({ mailFrom: (visit) => (visit === 2 ? fault : undefined) });
    await transport.send(mail);
    expect(await transport.send(mail)).toMatchObject({ outcome: 'accepted' });
    expect(server.connections()).toBe(2);
    expect(server.messages).toHaveLength(2);
  });

  it('are replaced once, not for ever', async () => {
    const { server, transport } = await setUp({ mailFrom: (visit) => (visit > 1 ? 'drop' : undefined) });
    await transport.send(mail);
    await failure(transport.send(mail));
    expect(server.connections()).toBe(2);
  });

  it('do not send again what was handed over', async () => {
    let visits = 0;
    const { server, transport } = await setUp({ message: () => (++visits === 2 ? 'drop' : undefined) });
    await transport.send(mail);
    expect(await transport.send(mail)).toEqual({ outcome: 'ambiguous', messageId });
    expect(server.messages).toHaveLength(2);
    expect(server.connections()).toBe(1);
  });

  it('are limited in number and in messages', async () => {
    let underWay = 0;
    let most = 0;
    const faults: Faults = {
      mailFrom: () => {
        underWay += 1;
        most = Math.max(most, underWay);
        return undefined;
      },
      message: () => {
        underWay -= 1;
        return undefined;
      },
    };
    const { server, transport } = await setUp(faults, { maxConnections: 2, maxMessagesPerConnection: 2 });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => transport.send(mail)));
    expect(outcomes.every(({ outcome }) => outcome === 'accepted')).toBe(true);
    expect(server.messages).toHaveLength(8);
    expect(most).toBeLessThanOrEqual(2);
    // Two messages on each; where one lane sent more than the other, each ends with a connection half used.
    expect([4, 5]).toContain(server.connections());
  });
});

describe('the transport', () => {
  it('verifies without sending', async () => {
    const { server, transport } = await setUp();
    await transport.verify();
    expect(server.messages).toHaveLength(0);
  });

  it('sends nothing once closed', async () => {
    const { server, transport } = await setUp();
    transport.close();
    expect(await failure(transport.send(mail))).toMatchObject({ phase: 'closed' });
    expect(await failure(transport.verify())).toMatchObject({ phase: 'closed' });
    expect(server.connections()).toBe(0);
  });

  it.each([
    '',
    'nobody',
    'a@b.example, c@d.example',
    'a@b.example\r\nRCPT TO:<c@d.example>',
    '<a@b.example>',
  ])('rejects the address %j itself', async (address) => {
    const { server, transport } = await setUp();
    expect(await transport.send({ ...mail, to: address })).toEqual({
      outcome: 'rejected',
      smtpCode: 553,
      enhancedCode: '5.1.3',
    });
    expect(server.connections()).toBe(0);
  });

  it('keeps hostile subjects and headers from adding headers', async () => {
    const { server, transport } = await setUp();
    const rendered = { ...mail.rendered, subject: 'a\r\nBcc: x@example.org' };
    await transport.send({ ...mail, rendered, headers: { 'X-Dormouse-Kind': 'a\r\nX-Evil: b' } });
    expect(server.messages[0]).not.toMatch(/^(Bcc|X-Evil):/mu);
    expect(server.recipients).toEqual([to]);
  });
});
