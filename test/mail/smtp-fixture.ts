/** A real SMTP server on a free port with faults on demand, and a count of what it saw. */
import { createServer, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/**
 * Faults to inject. Return a reply to refuse with it, `drop` to cut the connection, `hang` never to answer, `until` to
 * answer well, but later.
 */
export type Fault = { code: number; text?: string } | 'drop' | 'hang' | { until: Promise<void> } | undefined;

export interface Faults {
  connect?: () => Fault;
  auth?: () => Fault;
  mailFrom?: (visit: number) => Fault;
  /** Called with the address. */
  rcptTo?: (address: string) => Fault;
  /** After the final dot. */
  message?: () => Fault;
  /** Default: none. Needs key and certificate in `options`. */
  tls?: 'offered' | 'from the start';
  options?: SMTPServerOptions;
}

export interface SmtpFixture {
  url: string;
  /** Messages of which the final dot was seen. */
  messages: string[];
  /** Recipients of all accepted RCPT TO. */
  recipients: string[];
  connections: () => number;
  /** Messages that came over TLS. */
  secured: () => number;
  /** Cuts all connections. */
  cut: () => void;
  /** Resolves when no connection is left. */
  close: () => Promise<void>;
}

type Answer = (error?: Error | null) => void;

export async function startSmtp(faults: Faults = {}): Promise<SmtpFixture> {
  const sockets = new Map<number, Socket>();
  const messages: string[] = [];
  const recipients: string[] = [];
  let connections = 0;
  let mailFroms = 0;
  let secured = 0;
  const apply = (fault: Fault, port: number, answer: Answer): void => {
    if (fault === 'hang') return;
    if (fault === 'drop') sockets.get(port)?.destroy();
    else if (fault === undefined) answer();
    else if ('until' in fault) fault.until.then(() => answer());
    else answer(Object.assign(new Error(fault.text ?? 'no'), { responseCode: fault.code }));
  };
  const server = new SMTPServer({
    secure: faults.tls === 'from the start',
    disabledCommands: [...(faults.tls === undefined ? ['STARTTLS'] : []), ...(faults.auth ? [] : ['AUTH'])],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect: ({ remotePort }, answer) => {
      connections += 1;
      apply(faults.connect?.(), remotePort, answer);
    },
    onAuth: (_auth, { remotePort }, answer) =>
      apply(faults.auth?.(), remotePort, (error) => answer(error, error ? undefined : { user: 'u' })),
    onMailFrom: (_address, { remotePort, secure }, answer) => {
      if (secure) secured += 1;
      mailFroms += 1;
      apply(faults.mailFrom?.(mailFroms), remotePort, answer);
    },
    onRcptTo: ({ address }, { remotePort }, answer) =>
      apply(faults.rcptTo?.(address), remotePort, (error) => {
        if (!error) recipients.push(address);
        answer(error);
      }),
    onData: (stream, { remotePort }, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        messages.push(Buffer.concat(chunks).toString('utf8'));
        apply(faults.message?.(), remotePort, answer);
      });
    },
    ...faults.options,
  });
  // The server reports cut connections; here they are made on purpose.
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.on('close', () => sockets.delete(port));
  });
  const port = await listen(server.server, () => server.listen(0, '127.0.0.1'));
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    recipients,
    connections: () => connections,
    secured: () => secured,
    cut: () => {
      for (const socket of sockets.values()) socket.destroy();
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A server of bare lines, for answers that no SMTP library gives. `answer` gets each chunk and the socket. */
export async function startRaw(
  greeting: string | undefined,
  answer: (chunk: string, socket: Socket) => void = () => undefined,
): Promise<{ url: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => answer(chunk.toString('utf8'), socket));
    if (greeting !== undefined) socket.write(greeting);
  });
  const port = await listen(server, () => server.listen(0, '127.0.0.1'));
  return {
    url: `smtp://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

async function listen(server: ReturnType<typeof createServer>, start: () => void): Promise<number> {
  await new Promise<void>((resolve) => {
    server.once('listening', resolve);
    start();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
