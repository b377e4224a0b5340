/** Reads the caught mails from the mail catcher's API. */
import { z } from 'zod';

const mailSchema = z.object({
  subject: z.string(),
  text: z.string().default(''),
  date: z.string(),
  to: z.array(z.object({ address: z.string() })),
  headers: z.record(z.string(), z.unknown()),
});

export interface CaughtMail {
  readonly to: readonly string[];
  /** The kind that Dormouse gave it; empty for mails of other senders. */
  readonly kind: string;
  readonly messageId: string;
  readonly subject: string;
  readonly text: string;
}

/** @returns all mails caught so far, oldest first */
export async function readMailbox(apiUrl: string): Promise<CaughtMail[]> {
  const answer = await fetch(apiUrl, { signal: AbortSignal.timeout(10_000) });
  const mails = z.array(mailSchema).parse(await answer.json());
  return mails.map((mail) => ({
    to: mail.to.map(({ address }) => address.toLowerCase()),
    kind: String(mail.headers['x-dormouse-kind'] ?? ''),
    messageId: String(mail.headers['message-id'] ?? ''),
    subject: mail.subject,
    text: mail.text,
  }));
}

/** The kinds of mail that one address received, in order. */
export function kindsFor(mails: readonly CaughtMail[], address: string | undefined): string[] {
  return mails
    .filter(({ to, kind }) => kind !== '' && address !== undefined && to.includes(address))
    .map(({ kind }) => kind);
}
