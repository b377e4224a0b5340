/**
 * Whether notices that were given still count: bounces since, and whether there
 * is still an address to write to.
 */
import type pg from 'pg';
import type { NoticeState } from '../domain/lifecycle/assessment.js';
import type { NoticeOutcome } from '../domain/lifecycle/notice-record.js';
import type { Unverified } from '../domain/mail-choices.js';
import { mailAddresses } from '../mail/addresses.js';
import { type CopyState, readCopies } from '../mail/mails-table.js';
import type { KratosIdentity } from '../ory/kratos-identity.js';

/** @returns the present state of each notice */
export async function readNotices(
  { pool, unverified }: { readonly pool: pg.Pool; readonly unverified?: Unverified },
  identity: KratosIdentity,
  keys: readonly string[],
): Promise<NoticeState[]> {
  if (keys.length === 0) return [];
  if (mailAddresses(identity, unverified).length === 0)
    return keys.map((key) => ({ key, outcome: 'no-address' }));
  const copies = await readCopies(pool, identity.id, keys);
  return [...copies].map(([key, states]) => ({ key, outcome: provenBy(states) }));
}

/**
 * A notice without a row lost its proof, for example with a backup: it may or may not have arrived. A copy that a
 * server did not carry says that the person has an address which nothing is known against.
 */
export function provenBy(states: readonly CopyState[]): NoticeOutcome {
  const best = (['accepted', 'ambiguous', 'relay-failed', 'bounced', 'rejected'] as const).find((state) =>
    states.includes(state),
  );
  return best ?? 'ambiguous';
}
