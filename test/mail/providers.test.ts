import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mailProviders } from '../../src/domain/mail-choices.js';
import { readMailgunEvent } from '../../src/mail/providers/mailgun.js';
import { readPostmarkEvent } from '../../src/mail/providers/postmark.js';
import { providerHeaders } from '../../src/mail/providers/provider.js';
import { readSendgridEvents } from '../../src/mail/providers/sendgrid.js';
import { readSesEvent } from '../../src/mail/providers/ses.js';
import { openSnsEnvelope } from '../../src/mail/providers/sns.js';
import { stableMessageId } from '../../src/smtp/message-id.js';
import { mailgunFailure, postmarkBounce, sendgridEvents } from './samples/others.js';
import {
  inSns,
  sesBareBounce,
  sesBounce,
  sesComplaint,
  sesDelivery,
  sesMailboxFull,
  sesVacation,
  snsConfirmation,
} from './samples/ses.js';

const name = '0123456789abcdef0123456789abcdef01234567';
const messageId = `<${name}@dormouse.invalid>`;
const queueIds = [sesBareBounce.mail.messageId];

describe('Amazon SES', () => {
  it.each([
    ['a bounce with our tag', sesBounce(name), { kind: 'hard', code: '5.1.1', messageId, queueIds }],
    ['a bounce that quotes nothing of ours', sesBareBounce, { kind: 'hard', code: '5.1.1', queueIds }],
    ['a full mailbox: it did not arrive', sesMailboxFull, { kind: 'hard', code: '5.2.2', queueIds }],
    ['the answer of a vacation responder: it arrived', sesVacation, { kind: 'soft', queueIds }],
    ['a complaint', sesComplaint, { kind: 'complaint', queueIds }],
  ])('%s', (_what, event, expected) => {
    expect(readSesEvent(event)).toEqual([{ at: expect.any(Number), ...expected }]);
    expect(openSnsEnvelope(inSns(event))).toEqual({ kind: 'message', message: event });
    expect(openSnsEnvelope(event)).toEqual({ kind: 'message', message: event });
  });

  it('our Message-ID among the headers, where there is no tag', () => {
    const { mail, ...rest } = sesBounce(name);
    const { tags: _none, ...untagged } = mail;
    expect(readSesEvent({ ...rest, mail: untagged })).toMatchObject([
      { messageId: `<${name}@acorn.example>` },
    ]);
  });

  it('a delivery says nothing', () => {
    expect(readSesEvent(sesDelivery)).toEqual([]);
  });

  it.each([
    'http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription',
    'https://sns.eu-west-1.amazonaws.com.evil.example/?x',
    'https://evil.example/sns.eu-west-1.amazonaws.com',
    'https://user@sns.eu-west-1.amazonaws.com/',
    'https://sns.eu-west-1.amazonaws.com:8443/',
    'https://169.254.169.254/',
    'not an address',
  ])("visits no address but Amazon's to confirm a subscription: %s", (url) => {
    expect(() => openSnsEnvelope(snsConfirmation(url))).toThrow(/SubscribeURL: is no address of Amazon SNS/);
  });

  it('a subscription to be confirmed', () => {
    const url = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x';
    expect(openSnsEnvelope(snsConfirmation(url))).toMatchObject({ kind: 'confirm', url: new URL(url) });
  });
});

describe('Postmark', () => {
  it('a hard bounce, by its metadata', () => {
    expect(readPostmarkEvent(postmarkBounce(name))).toEqual([
      {
        kind: 'hard',
        code: '5.1.1',
        messageId,
        queueIds: ['883953f4-6105-42a2-a16a-77a8eac79483'],
        at: Date.UTC(2026, 2, 1, 17),
      },
    ]);
  });

  it.each([
    ['SoftBounce', 'hard'],
    ['SpamNotification', 'hard'],
    ['Transient', 'soft'],
    ['SpamComplaint', 'complaint'],
  ])('%s is %s', (Type, kind) => {
    expect(readPostmarkEvent(postmarkBounce(name, { Type }))).toMatchObject([{ kind }]);
  });

  it.each(['AutoResponder', 'Unsubscribe', 'Subscribe', 'OpenRelayTest'])('%s says nothing', (Type) => {
    expect(readPostmarkEvent(postmarkBounce(name, { Type }))).toEqual([]);
  });

  it('a complaint as a record of its own', () => {
    const { Metadata: _none, ...record } = postmarkBounce(name, { RecordType: 'SpamComplaint' });
    expect(readPostmarkEvent(record)).toMatchObject([{ kind: 'complaint' }]);
  });
});

describe('Mailgun', () => {
  it('a permanent failure, by our Message-ID', () => {
    expect(readMailgunEvent(mailgunFailure(name))).toEqual([
      { kind: 'hard', code: '5.1.1', messageId: `<${name}@acorn.example>`, at: 1_772_366_400_250 },
    ]);
  });

  it.each([
    ['a temporary failure, which is tried again', { severity: 'temporary' }, 'soft'],
    ['a complaint', { event: 'complained' }, 'complaint'],
    ['what Mailgun would not send', { event: 'rejected' }, 'hard'],
  ])('%s', (_what, more, kind) => {
    expect(readMailgunEvent(mailgunFailure(name, more))).toMatchObject([{ kind }]);
  });

  it('a delivery says nothing', () => {
    expect(readMailgunEvent(mailgunFailure(name, { event: 'delivered' }))).toEqual([]);
  });
});

describe('SendGrid', () => {
  it('only the bounces of many events, by our tag', () => {
    expect(readSendgridEvents(sendgridEvents(name))).toEqual([
      { kind: 'hard', code: '5.0.0', messageId, queueIds: ['14c5d75ce93'], at: 1_772_366_401_000 },
    ]);
  });

  it.each([
    ['dropped', 'hard'],
    ['deferred', 'soft'],
    ['spamreport', 'complaint'],
  ])('%s is %s', (event, kind) => {
    expect(readSendgridEvents([{ event, 'smtp-id': `<${name}@x.test>` }])).toMatchObject([{ kind }]);
  });

  it.each(['open', 'click', 'constructor', '__proto__'])('%s says nothing', (event) => {
    expect(readSendgridEvents([{ event }])).toEqual([]);
  });
});

describe('a field in another form than documented is left out, and the bounce still counts', () => {
  it('Amazon SES: null, and the failed recipient behind another', () => {
    const { mail, bounce } = sesBounce(name);
    const bouncedRecipients = [null, { action: 'delayed', status: 4 }, { action: 'failed', status: '5.1.1' }];
    const odd = {
      notificationType: null,
      eventType: 'Bounce',
      mail: { ...mail, headers: null, commonHeaders: [], messageId: 5 },
      bounce: { ...bounce, bounceType: 'Transient', timestamp: null, bouncedRecipients },
    };
    expect(readSesEvent(odd)).toEqual([{ kind: 'hard', code: '5.1.1', messageId }]);
  });

  it('Postmark: metadata in a list, numbers and null for texts', () => {
    const odd = {
      Metadata: [],
      MessageID: 5,
      BouncedAt: null,
      Details: 5,
      Content: `Message-ID: <${name}@x.test>`,
    };
    expect(readPostmarkEvent(postmarkBounce(name, odd))).toEqual([
      { kind: 'hard', messageId: `<${name}@x.test>` },
    ]);
  });

  it('Mailgun: null for texts, a list for no variables, a time in digits', () => {
    const odd = {
      timestamp: '1772366400.25',
      'delivery-status': { code: 550, 'enhanced-code': null, message: null, description: '550 5.1.1 no' },
      'user-variables': [],
    };
    expect(readMailgunEvent(mailgunFailure(name, odd))).toEqual([
      { kind: 'hard', code: '5.1.1', messageId: `<${name}@acorn.example>`, at: 1_772_366_400_250 },
    ]);
  });

  it.each([
    null,
    'yesterday',
    -1,
    1e300,
    {},
  ])('SendGrid: the time %j, a null status, and a bad event beside', (timestamp) => {
    const [, bounce] = sendgridEvents(name);
    const odd = { ...bounce, timestamp, status: null, reason: '550 5.1.1 no', sg_message_id: 5 };
    expect(readSendgridEvents([null, {}, { event: 5 }, odd])).toEqual([
      { kind: 'hard', code: '5.1.1', messageId },
    ]);
  });
});

it.each([
  ['ses', readSesEvent],
  ['postmark', readPostmarkEvent],
  ['mailgun', readMailgunEvent],
  ['sendgrid', readSendgridEvents],
] as const)('%s: a body that is no event is refused', (_provider, read) => {
  for (const body of [null, 'x', 5, [5], { bounce: 5, 'event-data': [] }]) {
    expect(() => read(body)).toThrow(z.ZodError);
  }
});

it('each provider gets our name of the mail by a header of its own', () => {
  const id = stableMessageId('key', 'a@acorn.example');
  const headers = mailProviders.map((provider) => providerHeaders(provider, id));
  for (const header of headers) expect(JSON.stringify(header)).toContain(id.slice(1, 41));
  expect(headers.flatMap((header) => Object.keys(header))).toEqual([
    'X-SES-MESSAGE-TAGS',
    'X-PM-Metadata-dormouse',
    'X-Mailgun-Variables',
    'X-SMTPAPI',
  ]);
});
