/** What an attempt at a mail counts as, by the server's reply: each boundary of the codes. */
import { describe, expect, it } from 'vitest';
import { TemporaryMailError } from '../../src/smtp/errors.js';
import { judge, wasStale } from '../../src/smtp/outcome.js';
import type { Attempt, SmtpReply } from '../../src/smtp/session.js';

const id = '<1@mail.example>';
const reply = (code: number, more: Partial<SmtpReply> = {}): SmtpReply => ({
  code,
  phase: 'message',
  ...more,
});
const handedOver = { begun: true, handedOver: true };

function failureOf(attempt: Attempt): TemporaryMailError {
  try {
    judge(attempt, id);
  } catch (error) {
    if (error instanceof TemporaryMailError) return error;
    throw error;
  }
  return expect.fail('the attempt did not fail for now');
}

describe('after the final dot', () => {
  it.each([
    [199, 'ambiguous'],
    [200, 'accepted'],
    [250, 'accepted'],
    [299, 'accepted'],
    [300, 'ambiguous'],
    [354, 'ambiguous'],
    [399, 'ambiguous'],
    [501, 'rejected'],
    [550, 'rejected'],
  ])('a reply %d: %s', (code, outcome) => {
    expect(judge({ ...handedOver, reply: reply(code) }, id).outcome).toBe(outcome);
  });

  it('no reply: ambiguous', () => {
    expect(judge({ ...handedOver, reason: 'ECONNECTION' }, id)).toEqual({
      outcome: 'ambiguous',
      messageId: id,
    });
  });

  it.each([400, 451, 499, 500, 503, 535])('a reply %d fails for now', (code) => {
    expect(failureOf({ ...handedOver, reply: reply(code) })).toMatchObject({ smtpCode: code });
  });

  it('an acceptance says under which name the server queued it', () => {
    const taken = reply(250, { enhancedCode: '2.0.0', queueId: 'q1' });
    expect(judge({ ...handedOver, reply: taken }, id)).toEqual({
      outcome: 'accepted',
      messageId: id,
      smtpCode: 250,
      enhancedCode: '2.0.0',
      queueId: 'q1',
    });
  });
});

describe('before the final dot', () => {
  it.each([200, 250, 354])('a reply %d is no acceptance: it fails for now', (code) => {
    expect(
      failureOf({ begun: true, handedOver: false, reply: reply(code, { phase: 'data' }) }),
    ).toMatchObject({
      phase: 'data',
    });
  });

  it('a failure says the step, the codes of the reply, or the reason', () => {
    const refused = reply(451, { enhancedCode: '4.7.1', phase: 'rcpt-to' });
    expect(failureOf({ begun: false, handedOver: false, reply: refused })).toMatchObject({
      phase: 'rcpt-to',
      smtpCode: 451,
      enhancedCode: '4.7.1',
    });
    const lost = { begun: false, handedOver: false, reason: 'ECONNREFUSED' };
    expect(failureOf(lost).message).toContain('ECONNREFUSED');
  });

  it('no reply: the step is that of the attempt', () => {
    expect(failureOf({ begun: true, handedOver: false }).phase).toBe('message');
    expect(failureOf({ begun: false, handedOver: false }).phase).toBe('mail-from');
  });

  it('a refusal about the server is none of the recipient', () => {
    const ofServer = reply(550, { phase: 'rcpt-to', isOfServer: true });
    expect(failureOf({ begun: false, handedOver: false, reply: ofServer })).toMatchObject({
      concernsServer: true,
    });
    const ofSender = reply(550, { phase: 'mail-from' });
    expect(failureOf({ begun: false, handedOver: false, reply: ofSender }).phase).toBe('mail-from');
  });
});

describe('another connection carries the mail at once', () => {
  it.each<[string, boolean, Attempt]>([
    ['no reply, and nothing begun', true, { begun: false, handedOver: false }],
    ['421, and nothing begun', true, { begun: false, handedOver: false, reply: reply(421) }],
    ['450, and nothing begun', false, { begun: false, handedOver: false, reply: reply(450) }],
    ['250, and nothing begun', false, { begun: false, handedOver: false, reply: reply(250) }],
    ['no reply, after the message was begun', false, { begun: true, handedOver: false }],
    ['421, after the message was begun', false, { begun: true, handedOver: false, reply: reply(421) }],
  ])('%s: %s', (_when, isStale, attempt) => {
    expect(wasStale(attempt)).toBe(isStale);
  });
});
