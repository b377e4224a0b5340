/** Proof, claims and deferred addresses of mails, over real SMTP and PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { listMails } from '../../src/mail/mails-table.js';
import { type MailFixture, openMail } from '../support/mail.js';
import { eventually, rejection } from '../support/system-wait.js';

const fixture: MailFixture = openMail();
const { people, pool, smtpWith, mailOver, requestFor, addRecoveryAddress } = fixture;
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.close());

const columnsOf = async (key: string) =>
  (await pool.query('SELECT * FROM mail WHERE request_key = $1 ORDER BY message_key', [key])).rows;

describe('the proof of a mail', () => {
  it('holds codes, queue id, server and time, and no address', async () => {
    const person = await people.create('proof');
    const { sendMail } = mailOver(fixture.stack.mail.smtpUrl);
    const request = requestFor(person);
    const { at } = await sendMail(request);
    const [row] = await listMails(pool, person.id);
    expect(row).toMatchObject({ state: 'accepted', replyCode: 250, kind: 'notice-delete' });
    expect(row?.acceptedBy).toBe(new URL(fixture.stack.mail.smtpUrl).hostname);
    expect(row?.settledAt).toBeLessThanOrEqual(at);
    const everything = JSON.stringify(await columnsOf(request.key));
    expect(everything).not.toContain(person.email ?? '@');
    expect(everything).not.toContain('example.com');
  });

  it('holds the codes of a refusal and of a deferral', async () => {
    const person = await people.create('proof');
    const refusing = await smtpWith({ rcptTo: () => ({ code: 550, text: '5.1.1 no such user' }) });
    const refused = requestFor(person);
    await mailOver(refusing.url).sendMail(refused);
    expect(await columnsOf(refused.key)).toMatchObject([
      { state: 'rejected', reply_code: 550, enhanced_code: '5.1.1', accepted_by: null },
    ]);
    const deferring = await smtpWith({ rcptTo: () => ({ code: 451, text: '4.7.1 greylisted' }) });
    const deferred = requestFor(person);
    await rejection(mailOver(deferring.url).sendMail(deferred));
    expect(await columnsOf(deferred.key)).toMatchObject([
      { state: 'deferred', reply_code: 451, enhanced_code: '4.7.1', claim: null },
    ]);
  });
});

describe('one address in trouble', () => {
  it('does not keep the mail from the others, nor park the step: tried three times, then told', async () => {
    const person = await people.create('deferred');
    const second = `second-${randomUUID()}@example.com`;
    await addRecoveryAddress(person.id, second);
    const server = await smtpWith({
      rcptTo: (address) => (address === person.email ? { code: 451 } : undefined),
    });
    const { sendMail } = mailOver(server.url);
    const request = requestFor(person);
    for (const _attempt of [1, 2]) {
      expect(await rejection(sendMail(request))).toMatchObject({ type: 'MailServerUnavailable' });
    }
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted', addresses: 2, deferred: 1 });
    expect(server.recipients).toEqual([second]);
  });

  it('is tried as long as the step if it is the only address', async () => {
    const person = await people.create('deferred');
    const server = await smtpWith({ rcptTo: () => ({ code: 451 }) });
    const { sendMail } = mailOver(server.url);
    const request = requestFor(person);
    for (const _attempt of [1, 2, 3, 4]) {
      expect(await rejection(sendMail(request))).toMatchObject({ type: 'MailServerUnavailable' });
    }
  });

  it('a server that is away is not tried for each address, and counts against no address', async () => {
    const person = await people.create('away');
    await addRecoveryAddress(person.id, `second-${randomUUID()}@example.com`);
    const request = requestFor(person);
    const up = await smtpWith({
      rcptTo: (address) => (address === person.email ? { code: 451 } : undefined),
    });
    await rejection(mailOver(up.url).sendMail(request));
    const away = await smtpWith({ connect: () => ({ code: 421 }) });
    for (const _attempt of [1, 2, 3, 4]) await rejection(mailOver(away.url).sendMail(request));
    await rejection(mailOver(away.url).sendMail(requestFor(person)));
    expect(away.connections()).toBe(5);
    const healed = await smtpWith();
    expect(await mailOver(healed.url).sendMail(request)).toMatchObject({ outcome: 'accepted', addresses: 2 });
    expect(healed.recipients).toEqual([person.email]);
  });

  it('only mails that were handed over count against the proof', async () => {
    const person = await people.create('handover');
    const request = requestFor(person, { proofNeeded: true });
    const refusing = await smtpWith({ rcptTo: () => ({ code: 451 }) });
    for (const _attempt of [1, 2, 3]) await rejection(mailOver(refusing.url).sendMail(request));
    let asked = 0;
    const server = await smtpWith({
      message: () => {
        asked += 1;
        return asked < 3 ? 'drop' : undefined;
      },
    });
    const { sendMail } = mailOver(server.url);
    for (const _attempt of [1, 2]) {
      expect(await rejection(sendMail(request))).toMatchObject({ type: 'MailAmbiguous' });
    }
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted' });
  });
});

describe('two attempts at the same mail', () => {
  it('do not hand it over at once: the second is sent away until the first has ended', async () => {
    const person = await people.create('claim');
    let answer: () => void = () => undefined;
    const server = await smtpWith({
      message: () => ({ until: new Promise<void>((done) => (answer = done)) }),
    });
    const request = requestFor(person);
    const first = mailOver(server.url, { totalMs: 60_000, socketMs: 60_000 }).sendMail(request);
    await eventually('the hand-over', async () => server.messages.length === 1);
    expect(await rejection(mailOver(server.url).sendMail(request))).toMatchObject({ type: 'MailUnderWay' });
    expect(server.messages).toHaveLength(1);
    answer();
    expect(await first).toMatchObject({ outcome: 'accepted' });
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
    expect(server.messages).toHaveLength(1);
  });

  it('one that was halted and lost its claim does not hand over when it wakes', async () => {
    const person = await people.create('claim');
    let greet: () => void = () => undefined;
    const held = await smtpWith({ connect: () => ({ until: new Promise<void>((done) => (greet = done)) }) });
    const request = requestFor(person);
    const first = rejection(
      mailOver(held.url, { totalMs: 9_000, greetingMs: 9_000, connectionMs: 9_000 }).sendMail(request),
    );
    await eventually('the connection', async () => held.connections() === 1);
    // As if its process had stood still for as long as a claim lasts.
    await pool.query("UPDATE mail SET claimed_until = now() - interval '1 second' WHERE request_key = $1", [
      request.key,
    ]);
    const server = await smtpWith();
    expect(await mailOver(server.url).sendMail(request)).toMatchObject({ outcome: 'accepted' });
    greet();
    expect(await first).toMatchObject({ type: 'MailUnderWay' });
    expect(held.messages).toEqual([]);
    expect(await columnsOf(request.key)).toMatchObject([{ state: 'accepted' }]);
  });

  it('a claim passes to another attempt when its holder is gone', async () => {
    const person = await people.create('claim');
    const server = await smtpWith();
    const request = requestFor(person);
    const { sendMail } = mailOver(server.url);
    await sendMail(request);
    await pool.query(
      `UPDATE mail SET state = 'sending', claim = $2, claimed_until = now() + interval '1 minute' WHERE request_key = $1`,
      [request.key, randomUUID()],
    );
    expect(await rejection(sendMail(request))).toMatchObject({ type: 'MailUnderWay' });
    await pool.query('UPDATE mail SET claimed_until = now() WHERE request_key = $1', [request.key]);
    expect(await sendMail(request)).toMatchObject({ outcome: 'accepted' });
  });
});
