/** Webhooks of Mailgun. Pure. Source: "Event structure", "Webhooks" (Mailgun documentation). */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { type Bounce, findStatusCode } from '../bounce.js';
import { lenient, lenientSeconds } from './lenient.js';
import { tagName } from './provider.js';

const event = z.looseObject({
  'event-data': z.looseObject({
    event: z.string(),
    severity: lenient(z.string()),
    timestamp: lenientSeconds,
    message: lenient(
      z.looseObject({ headers: lenient(z.looseObject({ 'message-id': lenient(z.string()) })) }),
    ),
    'delivery-status': lenient(
      z.looseObject({
        'enhanced-code': lenient(z.string()),
        message: lenient(z.string()),
        description: lenient(z.string()),
      }),
    ),
    'user-variables': lenient(z.record(z.string(), z.unknown())),
  }),
});
type Data = z.infer<typeof event>['event-data'];

/** @returns empty for events other than bounces. @throws ZodError */
export function readMailgunEvent(body: unknown): Bounce[] {
  const { 'event-data': said } = event.parse(body);
  const kind = kindOf(said);
  if (kind === undefined) return [];
  const messageId =
    messageIdOfName(said['user-variables']?.[tagName]) ??
    findMessageId(said.message?.headers?.['message-id'] ?? '');
  const status = said['delivery-status'];
  const code = [status?.['enhanced-code'], status?.message, status?.description]
    .map((text) => findStatusCode(text ?? ''))
    .find((found) => found !== undefined);
  return [
    {
      kind,
      ...(messageId !== undefined && { messageId }),
      ...(code !== undefined && { code }),
      ...(said.timestamp !== undefined && { at: said.timestamp }),
    },
  ];
}

/** Mailgun retries after a temporary failure. When it gives up, it sends a permanent failure. */
function kindOf({ event: name, severity }: Data): Bounce['kind'] | undefined {
  if (name === 'complained') return 'complaint';
  if (name === 'rejected') return 'hard';
  if (name !== 'failed') return undefined;
  return severity === 'temporary' ? 'soft' : 'hard';
}
