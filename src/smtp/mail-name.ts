/** The name of a mail, as Message-IDs, tags and return paths carry it. Pure. */

/** A Message-ID of Dormouse (see `stableMessageId`): 40 hex digits at the sender's domain. */
const ownMessageId = /<?([0-9a-f]{40}@[\p{L}\p{N}.-]{1,253})>?/u;

/** @returns the first Message-ID of ours in a text, with angle brackets */
export function findMessageId(text: string): string | undefined {
  const found = ownMessageId.exec(text)?.[1];
  return found === undefined ? undefined : `<${found}>`;
}

/** The part of a Message-ID that names the mail, even where a relay changed the rest. */
export function nameOfMail(messageId: string): string | undefined {
  return /^<?([0-9a-f]{40})(?:@|$)/u.exec(messageId)?.[1];
}

/** A Message-ID from the bare name, as tags and return paths carry it; `undefined` where it is not a name. */
export function messageIdOfName(name: unknown): string | undefined {
  return typeof name === 'string' && /^[0-9a-f]{40}$/u.test(name) ? `<${name}@dormouse.invalid>` : undefined;
}
