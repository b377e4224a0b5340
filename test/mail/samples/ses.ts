/** Events of Amazon SES in the form of its developer guide; NAME is our name of the mail. */
const mail = {
  timestamp: '2026-03-01T12:00:00.000Z',
  source: 'no-reply@acorn.example',
  sourceArn: 'arn:aws:ses:eu-west-1:123456789012:identity/acorn.example',
  sendingAccountId: '123456789012',
  messageId: '0102018e0a1b2c3d-4e5f6a7b-8c9d-0e1f-2a3b-4c5d6e7f8a9b-000000',
  destination: ['gone@people.example'],
};
const bounced = {
  bounceType: 'Permanent',
  bounceSubType: 'General',
  bouncedRecipients: [
    {
      emailAddress: 'gone@people.example',
      action: 'failed',
      status: '5.1.1',
      diagnosticCode: 'smtp; 550 5.1.1 user unknown',
    },
  ],
  timestamp: '2026-03-01T12:00:03.000Z',
  feedbackId: '0102018e0a1b2c3d-4e5f6a7b-000000',
  remoteMtaIp: '192.0.2.1',
  reportingMTA: 'dns; a1-2.smtp-out.eu-west-1.amazonses.com',
};

export const sesBounce = (name: string) => ({
  eventType: 'Bounce',
  mail: {
    ...mail,
    headersTruncated: false,
    headers: [
      { name: 'From', value: 'no-reply@acorn.example' },
      { name: 'Message-ID', value: `<${name}@acorn.example>` },
    ],
    commonHeaders: { from: ['no-reply@acorn.example'], messageId: mail.messageId, subject: 'x' },
    tags: { 'ses:operation': ['SendSmtpEmail'], dormouse: [name] },
  },
  bounce: bounced,
});
/** Without headers and tags, as feedback notifications are by default. */
export const sesBareBounce = { notificationType: 'Bounce', mail, bounce: bounced };
export const sesVacation = {
  notificationType: 'Bounce',
  mail,
  bounce: {
    ...bounced,
    bounceType: 'Transient',
    bouncedRecipients: [{ emailAddress: 'away@people.example' }],
  },
};
export const sesMailboxFull = {
  notificationType: 'Bounce',
  mail,
  bounce: {
    ...bounced,
    bounceType: 'Transient',
    bounceSubType: 'MailboxFull',
    bouncedRecipients: [{ emailAddress: 'full@people.example', action: 'failed', status: '5.2.2' }],
  },
};
export const sesComplaint = {
  notificationType: 'Complaint',
  mail,
  complaint: {
    complainedRecipients: [{ emailAddress: 'cross@people.example' }],
    timestamp: '2026-03-01T13:00:00.000Z',
    feedbackId: '0102018e-000000',
    complaintFeedbackType: 'abuse',
  },
};
export const sesDelivery = {
  notificationType: 'Delivery',
  mail,
  delivery: { timestamp: '2026-03-01T12:00:01.000Z', recipients: ['here@people.example'] },
};
export const inSns = (message: object) => ({
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: 'arn:aws:sns:eu-west-1:123456789012:bounces',
  Message: JSON.stringify(message),
  Timestamp: '2026-03-01T12:00:04.000Z',
  SignatureVersion: '1',
  Signature: 'x',
  SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/x.pem',
  UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
});
export const snsConfirmation = (url: string) => ({
  Type: 'SubscriptionConfirmation',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: 'x',
  TopicArn: 'arn:aws:sns:eu-west-1:123456789012:bounces',
  Message: 'You have chosen to subscribe to the topic.',
  SubscribeURL: url,
});
