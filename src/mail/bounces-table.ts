/**
 * Bounces: noted in table `mail` for mails that the server had accepted, and kept
 * apart where they match no mail.
 */
import type pg from 'pg';
import { nameOfMail } from '../smtp/mail-name.js';
import { comparedWithinMs, isEverybodyRefused, mostRecent, type RecentMail } from './alike.js';
import type { Bounce } from './bounce.js';

export interface RecordedBounce {
  /** The recipient of the mail. Absent where the report names no mail of ours. */
  readonly identityId?: string;
}

/** Servers reuse short names after a while. */
const queueIdsLastMs = 60 * 86_400_000;
/** Only the latest reports that match no mail are kept, for a limited time. */
const unmatchedKept = 1_000;
const unmatchedKeptMs = 90 * 86_400_000;

/**
 * Notes a bounce of the mail that it refers to: by our own name of the mail, or else by a server's name that
 * exactly one of our mails has. A hard bounce voids the mail for good; later and milder bounces change
 * nothing. Soft bounces and complaints are kept for operators only, and so are reports that match no mail.
 * @param source where it came in
 */
export async function recordBounce(
  pool: pg.Pool,
  bounce: Bounce,
  { source, now }: { readonly source: string; readonly now: number },
): Promise<RecordedBounce> {
  const at = Math.min(bounce.at ?? now, now);
  const keys = await keysOf(pool, bounce, now);
  if (keys.length === 0) {
    // guard: a bounce that matches nothing is kept for operators
    await noteUnmatched(pool, bounce, { source, now });
    return {};
  }
  const noted = await pool.query<{ identity_id: string }>(
    'SELECT mail_come_back(key, $2, $3, $4) AS identity_id FROM unnest($1::text[]) AS key',
    [keys, bounce.kind, bounce.code ?? null, new Date(at)],
  );
  const identityId = noted.rows[0]?.identity_id;
  return identityId === undefined ? {} : { identityId };
}

/** A mail that came back. */
export interface ReturnedMail {
  readonly identityId: string;
  /** Enhanced status code of the bounce. */
  readonly code: string | null;
  /** When the server had taken it. */
  readonly handedOverAt: Date;
}

/**
 * Whether the mails to everybody else, handed over within a day before and after this one, came back by the same code:
 * then the server is in trouble, and the code says nothing of the address.
 */
export async function cameBackFromEverybody(
  pool: pg.Pool,
  { identityId, code, handedOverAt }: ReturnedMail,
): Promise<boolean> {
  const [before, after] = await Promise.all([
    readNeighbours(pool, handedOverAt, 'before'),
    readNeighbours(pool, handedOverAt, 'after'),
  ]);
  return isEverybodyRefused({ identityId, enhancedCode: code ?? undefined }, before, after);
}

/** @returns accepted mails and those that came back, the nearest first */
async function readNeighbours(
  pool: pg.Pool,
  handedOverAt: Date,
  side: 'before' | 'after',
): Promise<RecentMail[]> {
  const [from, to] =
    side === 'before'
      ? [new Date(handedOverAt.getTime() - comparedWithinMs), handedOverAt]
      : [handedOverAt, new Date(handedOverAt.getTime() + comparedWithinMs)];
  const found = await pool.query<{ identity_id: string; state: string; bounce_code: string | null }>(
    `SELECT identity_id, state, bounce_code FROM mail
     WHERE settled_at >= $1 AND settled_at <= $2 AND state IN ('accepted', 'bounced')
     ORDER BY settled_at ${side === 'before' ? 'DESC' : 'ASC'} LIMIT $3`,
    [from, to, mostRecent],
  );
  return found.rows.map(({ identity_id, state, bounce_code }) => ({
    identityId: identity_id,
    isAccepted: state === 'accepted',
    enhancedCode: bounce_code ?? undefined,
  }));
}

async function keysOf(pool: pg.Pool, { messageId, queueIds = [] }: Bounce, now: number): Promise<string[]> {
  const name = messageId === undefined ? undefined : nameOfMail(messageId);
  if (name !== undefined) {
    const found = await pool.query<{ message_key: string }>(
      'SELECT message_key FROM mail WHERE substr(message_id, 2, 40) = $1',
      [name],
    );
    if (found.rows.length > 0) return found.rows.map(({ message_key }) => message_key);
  }
  if (queueIds.length === 0) return [];
  const found = await pool.query<{ message_key: string }>(
    `SELECT message_key FROM mail
     WHERE queue_id = ANY($1) AND state IN ('accepted', 'bounced') AND settled_at > $2 LIMIT 2`,
    [queueIds, new Date(now - queueIdsLastMs)],
  );
  // guard: a bounce by a name that two mails have bounces neither
  return found.rows.length === 1 ? found.rows.map(({ message_key }) => message_key) : [];
}

async function noteUnmatched(
  pool: pg.Pool,
  { messageId, queueIds = [], kind, code }: Bounce,
  { source, now }: { readonly source: string; readonly now: number },
): Promise<void> {
  const reference = [messageId, ...queueIds].filter((name) => name !== undefined).join(' ');
  await pool.query(
    'INSERT INTO bounce_unmatched (received_at, source, kind, code, reference) VALUES ($1, $2, $3, $4, $5)',
    [new Date(now), source, kind, code ?? null, reference.slice(0, 200)],
  );
  await pool.query(
    `DELETE FROM bounce_unmatched
     WHERE received_at < $1 OR id <= (SELECT max(id) FROM bounce_unmatched) - $2`,
    [new Date(now - unmatchedKeptMs), unmatchedKept],
  );
}

export interface UnmatchedBounce {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly source: string;
  readonly kind: Bounce['kind'];
  readonly code: string | null;
  /** The name of the mail in the report; empty where there is none. */
  readonly reference: string;
}

/** @returns the reports that match no mail, the newest first */
export async function unmatchedBounces(pool: pg.Pool): Promise<UnmatchedBounce[]> {
  const found = await pool.query<{ received_at: Date } & Omit<UnmatchedBounce, 'receivedAt'>>(
    'SELECT received_at, source, kind, code, reference FROM bounce_unmatched ORDER BY id DESC',
  );
  return found.rows.map(({ received_at, ...rest }) => ({ receivedAt: received_at.getTime(), ...rest }));
}
