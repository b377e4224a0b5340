/**
 * The envelope in which Amazon SNS delivers events: a notification, or the request to confirm a subscription.
 * Source: "HTTP/HTTPS notification JSON format" (Amazon SNS developer guide).
 */
import { z } from 'zod';
import { InvalidRequestError } from '../../process/caller-errors.js';

const envelope = z.looseObject({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  TopicArn: z.string().max(300),
  Message: z.string(),
  SubscribeURL: z.string().optional(),
});

export type SnsEnvelope =
  | { readonly kind: 'message'; readonly message: unknown }
  | { readonly kind: 'confirm'; readonly url: URL; readonly topic: string };

/** @returns the content; a body without envelope (raw delivery) unchanged. @throws InvalidRequestError */
export function openSnsEnvelope(body: unknown): SnsEnvelope {
  const parsed = envelope.safeParse(body);
  if (!parsed.success) return { kind: 'message', message: body };
  const { Type: type, TopicArn: topic, Message: text, SubscribeURL: url } = parsed.data;
  if (type === 'SubscriptionConfirmation') return { kind: 'confirm', url: subscribeUrl(url), topic };
  if (type === 'UnsubscribeConfirmation') return { kind: 'message', message: {} };
  try {
    return { kind: 'message', message: JSON.parse(text) };
  } catch {
    throw new InvalidRequestError('body.Message: is not JSON. Let SES publish its events to the topic');
  }
}

/** Only Amazon's own hosts are ever called, whoever sends the envelope. */
function subscribeUrl(text: string | undefined): URL {
  const url = URL.parse(text ?? '');
  const isAmazon = /^sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/u.test(url?.hostname ?? '');
  // guard: no host but Amazon's is visited
  if (url === null || url.protocol !== 'https:' || url.port !== '' || url.username !== '' || !isAmazon) {
    throw new InvalidRequestError(
      'body.SubscribeURL: is no address of Amazon SNS. Confirm the subscription by hand, if it is yours',
    );
  }
  return url;
}

/** Calls the address that confirms the subscription. */
export async function confirmSubscription(url: URL): Promise<void> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5_000) });
  await answer.body?.cancel();
  if (!answer.ok)
    throw new Error(`Amazon SNS answered ${answer.status} to the confirmation of a subscription`);
}
