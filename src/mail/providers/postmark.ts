/**
 * Webhooks of Postmark. Pure. Source: "Bounce webhook", "Spam complaint webhook", "Bounce
 * types" (Postmark developer docs).
 */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, findStatusCode } from '../bounce.js';
import { lenient } from './lenient.js';
import { tagName } from './provider.js';

const event = z.looseObject({
  RecordType: z.string(),
  Type: lenient(z.string()),
  MessageID: lenient(z.string()),
  Metadata: lenient(z.record(z.string(), z.unknown())),
  BouncedAt: lenient(z.string()),
  Details: lenient(z.string()),
  Content: lenient(z.string()),
});

/**
 * These did not arrive. Other types are delays (`Transient`), or no bounces at all
 * (`AutoResponder`, `Unsubscribe`).
 */
const hardTypes = new Set([
  ...[
    'hardbounce',
    'softbounce',
    'bademailaddress',
    'manuallydeactivated',
    'dnserror',
    'blocked',
    'dmarcpolicy',
  ],
  ...['spamnotification', 'virusnotification', 'smtpapierror', 'templaterenderingfailed'],
  ...['challengeverification', 'unconfirmed', 'undetermined', 'unknown'],
]);

/** @returns empty for events other than bounces. @throws ZodError */
export function readPostmarkEvent(body: unknown): Bounce[] {
  const said = event.parse(body);
  const kind = kindOf(said.RecordType.toLowerCase(), said.Type?.toLowerCase() ?? '');
  if (kind === undefined) return [];
  const messageId = messageIdOfName(said.Metadata?.[tagName]) ?? findMessageId(said.Content ?? '');
  const queueId = asQueueId(said.MessageID);
  const code = findStatusCode(said.Details ?? '');
  const at = Date.parse(said.BouncedAt ?? '');
  return [
    {
      kind,
      ...(messageId !== undefined && { messageId }),
      ...(queueId !== undefined && { queueIds: [queueId] }),
      ...(code !== undefined && { code }),
      ...(Number.isFinite(at) && { at }),
    },
  ];
}

function kindOf(record: string, type: string): Bounce['kind'] | undefined {
  if (record === 'spamcomplaint' || type === 'spamcomplaint') return 'complaint';
  if (record !== 'bounce') return undefined;
  if (hardTypes.has(type)) return 'hard';
  return type === 'transient' ? 'soft' : undefined;
}
