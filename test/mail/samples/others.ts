/** Events of Postmark, Mailgun and SendGrid in the form of their documentation; `name` is our name of the mail. */

export const postmarkBounce = (name: string, more: object = {}) => ({
  RecordType: 'Bounce',
  MessageStream: 'outbound',
  ID: 4323372036,
  Type: 'HardBounce',
  TypeCode: 1,
  Name: 'Hard bounce',
  Tag: 'Test',
  MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
  Metadata: { dormouse: name },
  ServerID: 23,
  Description: 'The server was unable to deliver your message (ex: unknown user, mailbox not found).',
  Details: 'smtp;550 5.1.1 The email account that you tried to reach does not exist.',
  Email: 'gone@people.example',
  From: 'no-reply@acorn.example',
  BouncedAt: '2026-03-01T12:00:00.0000000-05:00',
  DumpAvailable: true,
  Inactive: true,
  CanActivate: true,
  Subject: 'x',
  ...more,
});

export const mailgunFailure = (name: string, more: object = {}) => ({
  signature: { timestamp: '1772366400', token: 'x', signature: 'x' },
  'event-data': {
    severity: 'permanent',
    tags: [],
    timestamp: 1772366400.25,
    'log-level': 'error',
    id: 'G9Bn5sl1TC6nu79C8C0bwg',
    event: 'failed',
    reason: 'suppress-bounce',
    recipient: 'gone@people.example',
    'recipient-domain': 'people.example',
    'delivery-status': {
      code: 550,
      'enhanced-code': '5.1.1',
      message: 'user unknown',
      description: '',
      'attempt-no': 1,
    },
    message: {
      headers: {
        to: 'gone@people.example',
        'message-id': `${name}@acorn.example`,
        from: 'no-reply@acorn.example',
        subject: 'x',
      },
      attachments: [],
      size: 111,
    },
    'user-variables': {},
    flags: { 'is-test-mode': false },
    ...more,
  },
});

export const sendgridEvents = (name: string) => [
  {
    email: 'gone@people.example',
    timestamp: 1772366400,
    'smtp-id': `<${name}@acorn.example>`,
    event: 'processed',
    sg_event_id: 'rbtnWrG1DVDGGGFHFyun0A==',
    sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
  },
  {
    email: 'gone@people.example',
    timestamp: 1772366401,
    'smtp-id': '<14c5d75ce93.dfd.64b469@ismtpd-555>',
    event: 'bounce',
    category: ['x'],
    sg_event_id: '6g4ZI7SA-xmRDv57GoPIPw==',
    sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
    reason: '500 unknown recipient',
    status: '5.0.0',
    type: 'bounce',
    dormouse: name,
  },
];
