import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { eventSecrets } from '../../src/config/forms.js';
import { createSignatureCheck, signatureClaim } from '../../src/signs/http/event-signature.js';

const body = '{"identityId":"9f425a8d-7efc-4768-8f23-7647a74fdf13"}';

function headersOf(secret: string) {
  const at = new Date();
  const signature = new Webhook(secret).sign('msg_1', at, body);
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
}

it('a secret as Standard Webhooks writes it counts as the bytes that it encodes', () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const claim = signatureClaim(headersOf(secret));
  if (claim === undefined) throw new Error('the headers are malformed');
  expect(createSignatureCheck(['x'.repeat(32), secret])(claim, body)).toBe(true);
  expect(createSignatureCheck([secret.slice('whsec_'.length)])(claim, body)).toBe(false);
  expect(createSignatureCheck([secret])(claim, `${body} `)).toBe(false);
});

describe('DORMOUSE_EVENT_SECRETS', () => {
  it.each([
    `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
    `whsec_${Buffer.alloc(64, 7).toString('base64')}`,
    'x'.repeat(32),
  ])('takes %s', (secret) => {
    expect(eventSecrets.parse(secret)).toEqual([secret]);
  });

  it.each([
    `whsec_${Buffer.alloc(23, 7).toString('base64').replace(/=+$/, '')}`,
    `whsec_${'-'.repeat(40)}`,
    `whsec_${'A'.repeat(20)} ${'A'.repeat(20)}`,
  ])('refuses %s, and says how to make one', (secret) => {
    expect(eventSecrets.safeParse(secret).error?.issues[0]?.message).toMatch(/openssl rand/);
  });
});
