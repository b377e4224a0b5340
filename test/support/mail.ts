/** Mail activities over any mail server, for tests; the people and the database are those of the stack. */

import type { Person } from '../../dev/demo/ory-people.js';
import { createMailActivities, type MailRequest } from '../../src/activities/mail.js';
import { systemClock } from '../../src/process/clock.js';
import { createMailTransport, type SmtpTimeouts } from '../../src/smtp/transport.js';
import { type Faults, startSmtp } from '../mail/smtp-fixture.js';
import { fresh, openOutside } from './system-outside.js';

export type MailFixture = ReturnType<typeof openMail>;

export const mailFrom = 'Dormouse <no-reply@dormouse.test>';

/** To be cleaned up after each test, and closed by the file that opened it. */
export function openMail() {
  const outside = openOutside();
  const open: (() => unknown)[] = [];
  return {
    ...outside,
    mailOver(smtpUrl: string, more: Partial<SmtpTimeouts> = {}, linkBaseUrl?: string) {
      const timeouts = { connectionMs: 2_000, greetingMs: 2_000, socketMs: 3_000, totalMs: 12_000, ...more };
      const transport = createMailTransport({ smtpUrl, from: mailFrom, timeouts });
      open.push(() => transport.close());
      return createMailActivities({
        identities: outside.ory.identities,
        pool: outside.pool,
        clock: systemClock,
        transport,
        from: mailFrom,
        productName: 'Acorn',
        signInUrl: 'https://acorn.test/login',
        ...(linkBaseUrl === undefined ? {} : { linkBaseUrl }),
      });
    },
    async smtpWith(faults: Faults = {}) {
      const server = await startSmtp(faults);
      open.push(() => server.close());
      return server;
    },
    requestFor(person: Pick<Person, 'id'>, more: Partial<MailRequest> = {}): MailRequest {
      return {
        identityId: person.id,
        kind: 'notice-delete',
        key: fresh('key'),
        inactiveForMs: 700 * 86_400_000,
        upcoming: { action: 'delete', at: Date.now() + 30 * 86_400_000 },
        proofNeeded: false,
        ...more,
      };
    },
    async addRecoveryAddress(identityId: string, address: string): Promise<void> {
      await outside.kratosDatabase.query(
        `INSERT INTO identity_recovery_addresses (id, via, value, identity_id, nid, created_at, updated_at)
         SELECT gen_random_uuid(), 'email', $2, id, nid, now(), now() FROM identities WHERE id = $1`,
        [identityId, address],
      );
    },
    async cleanUp(): Promise<void> {
      for (const close of open.splice(0).reverse()) await close();
    },
  };
}
