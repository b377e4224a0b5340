/** Mails to people, from Kratos' address over real SMTP into the mail catcher, and into servers that refuse. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readMailbox } from '../../dev/demo/mailbox.js';
import { recordBounce } from '../../src/mail/bounces-table.js';
import { listMails, readMail } from '../../src/mail/mails-table.js';
import { unsubscribe } from '../../src/mail/preferences-table.js';
import type { SmtpFixture } from '../mail/smtp-fixture.js';
import { closedPort } from '../support/fault-tcp.js';
import { openMail } from '../support/mail.js';
import { fresh, unknownId } from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';

const fixture = openMail();
const { people, pool, stack, mailOver, smtpWith, requestFor, addRecoveryAddress } = fixture;

afterEach(() => fixture.cleanUp());
afterAll(() => fixture.close());

/** Waits for the catcher: it shows a mail a moment after it took it. */
const mailTo = (address: string | undefined) =>
  eventually('the mail', async () => {
    const mails = await readMailbox(stack.mail.apiUrl);
    return mails.find(({ to }) => address !== undefined && to.includes(address));
  });

/** The Message-IDs of what a server took, in order. It is known before the sender hears of it. */
const namesAt = (server: SmtpFixture) =>
  server.messages.map((message) => /^message-id: *(\S+)/im.exec(message)?.[1]);

/** The row of a mail to its only address. */
async function rowsOf(key: string) {
  const found = await pool.query('SELECT message_key, state, attempts FROM mail WHERE message_key LIKE $1', [
    `${key}/%`,
  ]);
  return found.rows;
}

describe('sendMail', () => {
  it('sends one mail, with a stable name and no address in the table', async () => {
    const person = await people.create('mail');
    const request = requestFor(person);
    const before = Date.now();
    const result = await mailOver(stack.mail.smtpUrl).sendMail(request);
    expect(result).toMatchObject({ outcome: 'accepted', addresses: 1 });
    expect(result.at).toBeGreaterThanOrEqual(before);
    const mail = await mailTo(person.email);
    expect(mail).toMatchObject({ kind: 'notice-delete', subject: expect.stringContaining('Acorn') });
    expect(mail?.text).toContain('https://acorn.test/login');
    const rows = await rowsOf(request.key);
    expect(rows).toMatchObject([{ state: 'accepted', attempts: 1 }]);
    expect(JSON.stringify(rows)).not.toContain('@');
  });

  it('sends it once, however often it is repeated after a crash', async () => {
    const person = await people.create('mail');
    const server = await smtpWith();
    const request = requestFor(person);
    const { sendMail } = mailOver(server.url);
    await sendMail(request);
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted', addresses: 1 });
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
    expect(server.recipients).toEqual([person.email]);
  });

  it('sends another mail under another key', async () => {
    const person = await people.create('mail');
    const server = await smtpWith();
    const { sendMail } = mailOver(server.url);
    await sendMail(requestFor(person));
    await sendMail(requestFor(person, { kind: 'winback' }));
    const kinds = server.messages.map((message) => /^x-dormouse-kind: *(\S+)/im.exec(message)?.[1]);
    expect(kinds).toEqual(['notice-delete', 'winback']);
    expect(new Set(namesAt(server)).size).toBe(2);
  });

  it('after a crash between acceptance and its record: one duplicate at most, under the same name', async () => {
    const person = await people.create('mail');
    const server = await smtpWith();
    const request = requestFor(person);
    const { sendMail } = mailOver(server.url);
    await sendMail(request);
    await pool.query("UPDATE mail SET state = 'sending', settled_at = NULL WHERE message_key LIKE $1", [
      `${request.key}/%`,
    ]);
    await sendMail(request);
    await sendMail(request);
    expect(namesAt(server)).toHaveLength(2);
    expect(new Set(namesAt(server)).size).toBe(1);
  });

  it('goes to every address, each once', async () => {
    const person = await people.create('mail');
    const server = await smtpWith();
    const second = `${fresh('second')}@example.com`;
    await addRecoveryAddress(person.id, second);
    await addRecoveryAddress(person.id, second.toUpperCase());
    expect(await mailOver(server.url).sendMail(requestFor(person))).toMatchObject({
      outcome: 'accepted',
      addresses: 2,
    });
    expect([...server.recipients].sort()).toEqual([person.email, second].sort());
  });

  it('is no notice where there is no address, or no identity', async () => {
    const person = await people.create('mail', { hasAddress: false });
    const { sendMail } = mailOver(stack.mail.smtpUrl);
    expect(await sendMail(requestFor(person))).toMatchObject({ outcome: 'no-address', addresses: 0 });
    expect(await sendMail(requestFor({ id: unknownId() }))).toMatchObject({ outcome: 'no-address' });
  });

  it('is in German for people with that language', async () => {
    const person = await people.create('mail', { traits: { locale: 'de-AT' } });
    await mailOver(stack.mail.smtpUrl).sendMail(requestFor(person, { kind: 'winback' }));
    const mail = await mailTo(person.email);
    expect(mail?.text).toContain('Guten Tag');
  });

  it('gives up on a mail that can not be rendered', async () => {
    const person = await people.create('mail');
    const { upcoming: _none, ...request } = requestFor(person);
    await expect(mailOver(stack.mail.smtpUrl).sendMail(request)).rejects.toMatchObject({
      type: 'MailTemplate',
      nonRetryable: true,
    });
  });
});

describe('a server that refuses everybody alike', () => {
  it('is in trouble itself, whatever it says: from the fifth on nobody’s notice is lost, and all are sent when it is mended', async () => {
    let isBroken = true;
    const server = await smtpWith({
      rcptTo: () => (isBroken ? { code: 550, text: 'not for us' } : undefined),
    });
    const mail = mailOver(server.url);
    const crowd = await Promise.all(Array.from({ length: 6 }, () => people.create('alike')));
    const requests = crowd.map((person) => requestFor(person));
    for (const request of requests.slice(0, 4)) {
      expect(await mail.sendMail(request)).toMatchObject({ outcome: 'rejected' });
    }
    for (const request of requests.slice(4)) {
      expect(await rejection(mail.sendMail(request))).toMatchObject({ type: 'MailServerUnavailable' });
    }
    isBroken = false;
    for (const request of requests.slice(4)) {
      expect(await mail.sendMail(request)).toMatchObject({ outcome: 'accepted' });
    }
    isBroken = true;
    const one = await people.create('dead');
    expect(await mail.sendMail(requestFor(one))).toMatchObject({ outcome: 'rejected' });
  });
});

describe('an address with a history', () => {
  /** As the mail system tells of it, for the last mails to the identity. */
  async function comeBack(identityId: string, kind: 'hard' | 'complaint', code?: string) {
    for (const { messageId } of await listMails(pool, identityId)) {
      await recordBounce(
        pool,
        { messageId, kind, ...(code && { code }) },
        { source: 'test', now: Date.now() },
      );
    }
  }
  const winback = (person: { id: string }) => {
    const { upcoming: _none, ...request } = requestFor(person, { kind: 'winback' });
    return request;
  };

  it('gets no mail after three that came back for good, whatever its kind', async () => {
    const person = await people.create('dead');
    const server = await smtpWith();
    const mail = mailOver(server.url);
    for (let sent = 1; sent <= 3; sent += 1) {
      expect(await mail.sendMail(requestFor(person))).toMatchObject({ outcome: 'accepted', addresses: 1 });
      await comeBack(person.id, 'hard', '5.1.1');
    }
    expect(await mail.sendMail(requestFor(person))).toMatchObject({
      outcome: 'rejected',
      addresses: 0,
      withheld: 1,
    });
    expect(server.messages).toHaveLength(3);
  });

  it('gets mails where the mailbox was only full, or time ran out', async () => {
    const person = await people.create('full');
    const server = await smtpWith();
    const mail = mailOver(server.url);
    for (const code of ['5.2.2', '4.4.7', '5.2.1']) {
      await mail.sendMail(requestFor(person));
      await comeBack(person.id, 'hard', code);
    }
    expect(await mail.sendMail(requestFor(person))).toMatchObject({ outcome: 'accepted' });
  });

  it('another address of the identity gets its mail all the same', async () => {
    const person = await people.create('two');
    const server = await smtpWith();
    const mail = mailOver(server.url);
    for (let sent = 1; sent <= 3; sent += 1) {
      await mail.sendMail(requestFor(person));
      await comeBack(person.id, 'hard', '5.1.1');
    }
    await addRecoveryAddress(person.id, `${fresh('second')}@example.com`);
    expect(await mail.sendMail(requestFor(person))).toMatchObject({
      outcome: 'accepted',
      addresses: 1,
      withheld: 1,
    });
  });

  it('gets no invitation after a complaint, and every notice', async () => {
    const person = await people.create('cross');
    const server = await smtpWith();
    const mail = mailOver(server.url);
    expect(await mail.sendMail(winback(person))).toMatchObject({ outcome: 'accepted' });
    await comeBack(person.id, 'complaint');
    expect(await mail.sendMail(winback(person))).toMatchObject({ addresses: 0, withheld: 1 });
    expect(await mail.sendMail(requestFor(person))).toMatchObject({ outcome: 'accepted' });
    expect(server.messages).toHaveLength(2);
  });

  it('gets no invitation after one click, which the invitation offers, and every notice', async () => {
    const person = await people.create('unsubscribed');
    const server = await smtpWith();
    const mail = mailOver(server.url, {}, 'https://acorn.test');
    await mail.sendMail(winback(person));
    const [invitation = ''] = server.messages;
    const headers = invitation.slice(0, invitation.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
    expect(headers).toMatch(/^List-Unsubscribe: <https:\/\/acorn\.test\/account\/unsubscribe\/[\w-]+>\r?$/m);
    expect(headers).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$/m);
    await unsubscribe(pool, person.id, Date.now());
    expect(await mail.sendMail(winback(person))).toMatchObject({ addresses: 0, withheld: 1 });
    expect(await mail.sendMail(requestFor(person))).toMatchObject({ outcome: 'accepted' });
    expect(server.messages[1]).not.toMatch(/^List-Unsubscribe/m);
  });
});

describe('a mail server in trouble', () => {
  const temporary: [string, () => Promise<string>][] = [
    ['is down', async () => `smtp://127.0.0.1:${await closedPort()}`],
    ['says 421', async () => (await smtpWith({ connect: () => ({ code: 421 }) })).url],
    ['defers the recipient', async () => (await smtpWith({ rcptTo: () => ({ code: 451 }) })).url],
    ['does not let us send', async () => (await smtpWith({ mailFrom: () => ({ code: 550 }) })).url],
    ['defers the message', async () => (await smtpWith({ message: () => ({ code: 452 }) })).url],
    ['hangs before the message', async () => (await smtpWith({ rcptTo: () => 'hang' })).url],
  ];

  it.each(
    temporary,
  )('that %s: is tried again, names nobody, and the mail then arrives once', async (_name, url) => {
    const person = await people.create('mail');
    const request = requestFor(person);
    const failure = await rejection(mailOver(await url()).sendMail(request));
    expect(failure).toMatchObject({ type: 'MailServerUnavailable', nonRetryable: false });
    expect(`${failure.message} ${failure.cause}`).not.toContain(person.email);
    expect(failure.message).not.toContain('@');
    const server = await smtpWith();
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
    expect(server.recipients).toEqual([person.email]);
  });

  it.each([
    ['the recipient', { rcptTo: () => ({ code: 550, text: 'no such user <someone@example.com>' }) }],
    ['the message', { message: () => ({ code: 554 }) }],
  ])('that refuses %s for good: rejected, and not asked again', async (_name, faults) => {
    const person = await people.create('mail');
    const server = await smtpWith(faults);
    const request = requestFor(person);
    const { sendMail } = mailOver(server.url);
    expect(await sendMail(request)).toMatchObject({ outcome: 'rejected', addresses: 1 });
    const connections = server.connections();
    expect(await sendMail(request)).toMatchObject({ outcome: 'rejected' });
    expect(server.connections()).toBe(connections);
  });

  it('that never answers the final dot: ambiguous at once where no proof is needed', async () => {
    const person = await people.create('mail');
    const server = await smtpWith({ message: () => 'drop' });
    expect(await mailOver(server.url).sendMail(requestFor(person))).toMatchObject({ outcome: 'ambiguous' });
    expect(server.messages).toHaveLength(1);
  });

  it('that never answers the final dot: tried a few times where proof is needed, under one name', async () => {
    const person = await people.create('mail');
    const server = await smtpWith({ message: () => 'drop' });
    const { sendMail } = mailOver(server.url);
    const request = requestFor(person, { proofNeeded: true });
    for (const _attempt of [1, 2]) {
      await expect(sendMail(request)).rejects.toMatchObject({ type: 'MailAmbiguous', nonRetryable: false });
    }
    expect(await sendMail(request)).toMatchObject({ outcome: 'ambiguous' });
    expect(namesAt(server)).toHaveLength(3);
    expect(new Set(namesAt(server)).size).toBe(1);
  });

  it('that answers the second time: proven', async () => {
    const person = await people.create('mail');
    let asked = 0;
    const server = await smtpWith({
      message: () => {
        asked += 1;
        return asked === 1 ? 'drop' : undefined;
      },
    });
    const { sendMail } = mailOver(server.url);
    const request = requestFor(person, { proofNeeded: true });
    await expect(sendMail(request)).rejects.toMatchObject({ type: 'MailAmbiguous' });
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted' });
    expect((await readMail(pool, String((await rowsOf(request.key))[0]?.message_key)))?.attempts).toBe(2);
  });

  it('that defers one of two addresses: the other one gets no second mail', async () => {
    const person = await people.create('mail');
    await addRecoveryAddress(person.id, `${fresh('second')}@example.com`);
    let asked = 0;
    const server = await smtpWith({
      rcptTo: () => {
        asked += 1;
        return asked === 2 ? { code: 451 } : undefined;
      },
    });
    const { sendMail } = mailOver(server.url);
    const request = requestFor(person);
    await expect(sendMail(request)).rejects.toMatchObject({ type: 'MailServerUnavailable' });
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted', addresses: 2 });
    expect(server.recipients).toHaveLength(2);
    expect(new Set(server.recipients).size).toBe(2);
  });
});
