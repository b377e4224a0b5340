/** A real SMTP server that counts what it took over, and at which the book makes chosen mails go wrong. */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { CallBook } from './call-book.js';

/** At RCPT TO: nothing was handed over yet. */
export const envelopeFaults = ['421', '450', '550', 'dropped before DATA'] as const;
/** After the final dot. */
export const messageFaults = ['451', '554', 'dropped after the dot', 'no answer'] as const;

export interface TakenMail {
  readonly to: string;
  readonly messageId: string;
  readonly kind: string;
  readonly text: string;
  /** When its final dot came; epoch milliseconds of the real clock. */
  readonly at: number;
}

export interface MailServer {
  readonly url: string;
  /** Every message whose final dot was seen and that was not refused. */
  readonly taken: readonly TakenMail[];
  close(): Promise<void>;
}

type Answer = (error?: Error | null) => void;

export async function startMailServer(book: CallBook): Promise<MailServer> {
  const sockets = new Map<number, Socket>();
  const taken: TakenMail[] = [];
  const apply = (fault: string | undefined, port: number, answer: Answer): void => {
    if (fault === undefined) answer();
    else if (fault.startsWith('dropped')) sockets.get(port)?.destroy();
    else if (fault !== 'no answer') answer(Object.assign(new Error('no'), { responseCode: Number(fault) }));
  };
  const strike = (address: string, what: string) => {
    const id = book.ownerOf(address);
    return id === undefined ? undefined : book.touch(id, 'smtp', what);
  };
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 1,
    onRcptTo: ({ address }, { remotePort }, answer) => apply(strike(address, 'RCPT TO'), remotePort, answer),
    onData: (stream, { remotePort, envelope }, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = envelope.rcptTo[0]?.address ?? '';
        const text = Buffer.concat(chunks).toString('utf8');
        const fault = strike(to, 'final dot');
        if (fault === undefined || !/^\d/.test(fault)) {
          const [messageId, kind] = [headerOf(text, 'Message-ID'), headerOf(text, 'X-Dormouse-Kind')];
          taken.push({ to, messageId, kind, text, at: Date.now() });
        }
        apply(fault, remotePort, answer);
      });
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.on('close', () => sockets.delete(port));
  });
  await new Promise<void>((resolve) => {
    server.server.once('listening', resolve);
    server.listen(0, '127.0.0.1');
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    taken,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** When the first notice of the deletion was taken: for lives in real time. */
export function deletionNoticedAt(mails: readonly TakenMail[]): { noticedAt?: number } {
  const notice = mails.find(({ kind }) => kind === 'notice-delete');
  return notice === undefined ? {} : { noticedAt: notice.at };
}

function headerOf(text: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
}
