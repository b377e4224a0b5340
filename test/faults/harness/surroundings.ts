/** The outside systems of the stack behind proxies that make chosen requests go wrong, and the book that chooses them. */
import { inject } from 'vitest';
import { standBy } from '../../support/bystander.js';
import { CallBook } from './call-book.js';
import { startHttpFaults } from './http-faults.js';
import { type MailServer, startMailServer } from './mail-server.js';
import { startPostgresWire } from './postgres-wire.js';

export interface Surroundings {
  readonly book: CallBook;
  readonly mailServer: MailServer;
  /** What workers are told to use in place of the stack's own. */
  readonly environment: Record<string, string>;
  readonly postgresUrl: string;
  close(): Promise<void>;
}

export async function openSurroundings(): Promise<Surroundings> {
  const stack = inject('stack');
  const bystander = await standBy(stack);
  const book = new CallBook();
  const kratos = await startHttpFaults('kratos', stack.kratos.adminUrl, book);
  const hydra = await startHttpFaults('hydra', stack.hydra.adminUrl, book);
  const mailServer = await startMailServer(book);
  const wire = await startPostgresWire(stack.postgres.runtimeUrl, book);
  return {
    book,
    mailServer,
    environment: {
      DORMOUSE_KRATOS_ADMIN_URL: kratos.url,
      DORMOUSE_HYDRA_ADMIN_URL: hydra.url,
      DORMOUSE_SMTP_URL: mailServer.url,
    },
    postgresUrl: wire.url,
    async close() {
      await kratos.close();
      await hydra.close();
      await mailServer.close();
      await wire.close();
      await bystander.leave();
    },
  };
}
