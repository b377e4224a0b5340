/** Webhooks of Mailgun. Pure. Source: "Event structure", "Webhooks" (Mailgun documentation). */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { type Bounce, findStatusCode } from '../bounce.js';
import { tagName } from './provider.js';

const event = z.looseObject({
  'event-data': z.looseObject({
    event: z.string(),
    severity: z.string().optional(),
    timestamp: z.number().optional(),
    message: z
      .looseObject({ headers: z.looseObject({ 'message-id': z.string().optional() }).optional() })
      .optional(),
    'delivery-status': z
      .looseObject({
        'enhanced-code': z.string().optional(),
        message: z.string().optional(),
        description: z.string().optional(),
      })
      .optional(),
    'user-variables': z.record(z.string(), z.unknown()).optional(),
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
      ...(said.timestamp !== undefined && { at: Math.floor(said.timestamp * 1_000) }),
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
