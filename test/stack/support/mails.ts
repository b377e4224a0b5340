/** Reads the mail catcher. */
import { z } from 'zod';
import { waitUntil } from '../../../dev/stack/wait-until.js';

const mailsSchema = z.array(
  z.object({ subject: z.string(), to: z.array(z.object({ address: z.string() })) }),
);
type Mail = z.infer<typeof mailsSchema>[number];

/** The first mail to an address, or `undefined` when none comes. */
export async function mailTo(apiUrl: string, address: string): Promise<Mail | undefined> {
  return waitUntil(
    async () => {
      const response = await fetch(apiUrl);
      const mails = mailsSchema.parse(await response.json());
      return mails.find((mail) => mail.to.some((recipient) => recipient.address === address));
    },
    { timeoutMs: 60_000 },
  );
}
