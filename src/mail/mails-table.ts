/**
 * Table `mail`: the mails handed to the mail server, one row per address, and the proof from the
 * server. The key is the same for every attempt at the same mail, so that a crash after the server's
 * answer does not send it twice.
 */
import type pg from 'pg';
import { removedAtOnce } from '../postgres/remove-old.js';
import { isOfServer } from '../smtp/whose-trouble.js';
import { comparedWithinMs, mostRecent, type RecentMail } from './alike.js';
import { cameBackFromEverybody } from './bounces-table.js';
import type { AddressHistory } from './owed.js';

/**
 * `deferred`: not accepted, to be tried again. `bounced`: accepted, and returned later. The
 * rest as in {@link SendOutcome}.
 */
export type MailState = 'sending' | 'accepted' | 'ambiguous' | 'rejected' | 'deferred' | 'bounced';

/** Every state that an attempt can end with. */
export type SettledState = Exclude<MailState, 'sending'>;

/** The result of an attempt. */
export interface MailProof {
  readonly state: Exclude<SettledState, 'bounced'>;
  /** Codes of the server's last reply, where there was one. Never its text, which quotes addresses. */
  readonly replyCode?: number | undefined;
  readonly enhancedCode?: string | undefined;
  readonly queueId?: string | undefined;
  /** The server's host name. */
  readonly server?: string | undefined;
}

export interface MailRecord {
  readonly state: MailState;
  readonly attempts: number;
  /** How often the final dot was sent without an answer. */
  readonly handovers: number;
  /** When the outcome became known; epoch milliseconds. */
  readonly settledAt?: number;
}

export interface MailAttempt {
  readonly key: string;
  /** Shared by all copies of the same mail. */
  readonly requestKey: string;
  readonly identityId: string;
  readonly kind: string;
  readonly messageId: string;
  /** Names this attempt; random. */
  readonly claim: string;
  /** After this many lost answers it is not handed over again. */
  readonly handovers: number;
  readonly now: number;
}

/**
 * How long an attempt keeps others away without renewing its claim. By PostgreSQL's clock,
 * so workers' clocks may differ.
 */
export const claimMs = 12_000;

export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly attempts: number; readonly handovers: number }
  /** There is nothing left to send. */
  | { readonly kind: 'settled'; readonly state: SettledState; readonly attempts: number }
  /** Another attempt is sending it. */
  | { readonly kind: 'busy'; readonly forMs: number };

/**
 * Notes that the mail is about to be handed over, unless it was already, or another attempt is sending it.
 */
export async function claimMail(pool: pg.Pool, attempt: MailAttempt): Promise<ClaimAnswer> {
  const claimed = await pool.query<{ attempts: number; handovers: number }>(
    'SELECT * FROM mail_claim($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    [
      attempt.key,
      attempt.requestKey,
      attempt.identityId,
      attempt.kind,
      attempt.messageId,
      new Date(attempt.now),
      attempt.claim,
      claimMs,
      attempt.handovers,
    ],
  );
  const row = claimed.rows[0];
  if (row !== undefined) return { kind: 'claimed', ...row };
  const [record, forMs] = await Promise.all([readMail(pool, attempt.key), remainingMs(pool, attempt.key)]);
  const state = record?.state;
  if (state === undefined || state === 'sending' || forMs > 0) {
    return { kind: 'busy', forMs: Math.max(1, forMs) };
  }
  return { kind: 'settled', state, attempts: record?.attempts ?? 0 };
}

async function remainingMs(pool: pg.Pool, key: string): Promise<number> {
  const found = await pool.query<{ ms: number | null }>(
    'SELECT (EXTRACT(epoch FROM claimed_until - now()) * 1000)::float8 AS ms FROM mail WHERE message_key = $1',
    [key],
  );
  return Math.ceil(found.rows[0]?.ms ?? 0);
}

/** Prolongs a claim. @returns false when it was lost: this attempt must not hand the mail over */
export async function keepClaim(pool: pg.Pool, key: string, claim: string): Promise<boolean> {
  const kept = await pool.query<{ kept: boolean }>('SELECT mail_keep($1, $2, $3) AS kept', [
    key,
    claim,
    claimMs,
  ]);
  return kept.rows[0]?.kept === true;
}

/**
 * Writes the outcome of an attempt. An acceptance counts even after the claim was lost: it is a fact. A
 * bounce that arrived before this stays.
 */
export async function settleMail(
  pool: pg.Pool,
  attempt: Pick<MailAttempt, 'key' | 'claim'>,
  proof: MailProof,
  now: number,
): Promise<void> {
  await pool.query('SELECT mail_settle($1, $2, $3, $4, $5, $6, $7, $8)', [
    attempt.key,
    attempt.claim,
    proof.state,
    proof.replyCode ?? null,
    proof.enhancedCode ?? null,
    proof.queueId ?? null,
    proof.server ?? null,
    new Date(now),
  ]);
}

/** Gives up a claim without anything sent. */
export async function dropClaim(pool: pg.Pool, attempt: Pick<MailAttempt, 'key' | 'claim'>): Promise<void> {
  await pool.query('SELECT mail_drop($1, $2)', [attempt.key, attempt.claim]);
}

export async function readMail(pool: pg.Pool, key: string): Promise<MailRecord | undefined> {
  const found = await pool.query<{
    state: MailState;
    attempts: number;
    handovers: number;
    settled_at: Date | null;
  }>('SELECT state, attempts, handovers, settled_at FROM mail WHERE message_key = $1', [key]);
  const row = found.rows[0];
  if (row === undefined) return undefined;
  return {
    state: row.state,
    attempts: row.attempts,
    handovers: row.handovers,
    ...(row.settled_at === null ? {} : { settledAt: row.settled_at.getTime() }),
  };
}

/** `relay-failed`: bounced because of a server on the way, not because of the address. */
export type CopyState = MailState | 'relay-failed';

/** @returns the states of all copies of each mail; empty for an unknown mail */
export async function readCopies(
  pool: pg.Pool,
  identityId: string,
  requestKeys: readonly string[],
): Promise<Map<string, CopyState[]>> {
  const found = await pool.query<Bounced & { request_key: string; state: MailState }>(
    `SELECT request_key, state, bounce_code, coalesce(settled_at, bounced_at) AS handed_over_at
     FROM mail WHERE identity_id = $1 AND request_key = ANY($2)`,
    [identityId, requestKeys],
  );
  const copies = new Map<string, CopyState[]>(requestKeys.map((key) => [key, []]));
  for (const { request_key, state, ...row } of found.rows) {
    // guard: a mail that bounced for a server’s sake did not fail for its address
    const isRelays = state === 'bounced' && (await isBounceOfServer(pool, identityId, row));
    copies.get(request_key)?.push(isRelays ? 'relay-failed' : state);
  }
  return copies;
}

interface Bounced {
  readonly bounce_code: string | null;
  readonly handed_over_at: Date;
}

/** Whether a mail came back because of a server on the way: by its code, or because everybody's mail came back. */
async function isBounceOfServer(
  pool: pg.Pool,
  identityId: string,
  { bounce_code: code, handed_over_at: handedOverAt }: Bounced,
): Promise<boolean> {
  if (isOfServer(code ?? '')) return true;
  // guard: a bounce that everybody gets is nobody’s
  return cameBackFromEverybody(pool, { identityId, code, handedOverAt });
}

/**
 * The outcomes of earlier mails to each of the identity's addresses, by the id of the address, which ends the
 * key of each copy. The codes 4.x.x and 5.2.x (RFC 3463) mean that the mailbox exists; 5.1.7, 5.1.8, 5.3.x, 5.4.x and
 * 5.7.x are about a server on the way or about the sender, and say nothing of the address. Neither does a code by which
 * everybody's mail came back.
 */
export async function readAddressHistories(
  pool: pg.Pool,
  identityId: string,
): Promise<Map<string, AddressHistory>> {
  const found = await pool.query<Bounced & { address: string; bounce_class: 'hard' | 'complaint' }>(
    `SELECT regexp_replace(message_key, '^.*/', '') AS address, bounce_class, bounce_code,
       coalesce(settled_at, bounced_at) AS handed_over_at
     FROM mail WHERE identity_id = $1 AND bounce_class IN ('hard', 'complaint')`,
    [identityId],
  );
  const histories = new Map<string, AddressHistory>();
  for (const { address, bounce_class, ...row } of found.rows) {
    const { hardBounces, complained } = histories.get(address) ?? { hardBounces: 0, complained: false };
    const isHard = bounce_class === 'hard' && (await isBounceOfAddress(pool, identityId, row));
    histories.set(address, {
      hardBounces: hardBounces + (isHard ? 1 : 0),
      complained: complained || bounce_class === 'complaint',
    });
  }
  return histories;
}

async function isBounceOfAddress(pool: pg.Pool, identityId: string, row: Bounced): Promise<boolean> {
  const mailboxExists = /^(?:4\.|5\.2\.)/u.test(row.bounce_code ?? '');
  return !mailboxExists && !(await isBounceOfServer(pool, identityId, row));
}

/** The latest mails to any identity within a day that the server accepted or refused, the newest first. */
export async function readRecentMails(pool: pg.Pool, now: number): Promise<RecentMail[]> {
  const found = await pool.query<{
    identity_id: string;
    state: MailState;
    reply_code: number | null;
    enhanced_code: string | null;
  }>(
    `SELECT identity_id, state, reply_code, enhanced_code FROM mail
     WHERE settled_at > $1 AND settled_at <= $2 AND state IN ('accepted', 'bounced', 'rejected')
     ORDER BY settled_at DESC LIMIT $3`,
    [new Date(now - comparedWithinMs), new Date(now), mostRecent],
  );
  return found.rows.map((row) => ({
    identityId: row.identity_id,
    isAccepted: row.state === 'accepted',
    ...(row.state === 'rejected' && {
      replyCode: row.reply_code ?? undefined,
      enhancedCode: row.enhanced_code ?? undefined,
    }),
  }));
}

/** One copy of a mail as operators see it: proof and errors, no address. */
export interface MailRow {
  readonly kind: string;
  readonly state: MailState;
  readonly messageId: string;
  readonly attempts: number;
  readonly firstTriedAt: number;
  readonly settledAt: number | null;
  readonly replyCode: number | null;
  readonly enhancedCode: string | null;
  readonly queueId: string | null;
  readonly acceptedBy: string | null;
  readonly bounceClass: string | null;
  readonly bounceCode: string | null;
  readonly bouncedAt: number | null;
}

/** @returns every mail to the identity, oldest first */
export async function listMails(pool: pg.Pool, identityId: string): Promise<MailRow[]> {
  const ms = (column: string) => `(EXTRACT(epoch FROM ${column}) * 1000)::float8`;
  const found = await pool.query<MailRow>(
    `SELECT kind, state, message_id AS "messageId", attempts, ${ms('first_tried_at')} AS "firstTriedAt",
       ${ms('settled_at')} AS "settledAt", reply_code AS "replyCode", enhanced_code AS "enhancedCode",
       queue_id AS "queueId", accepted_by AS "acceptedBy", bounce_class AS "bounceClass",
       bounce_code AS "bounceCode", ${ms('bounced_at')} AS "bouncedAt"
     FROM mail WHERE identity_id = $1 ORDER BY first_tried_at, message_key`,
    [identityId],
  );
  return found.rows;
}

/**
 * Deletes mails older than the person's latest sign of life: nothing rests on their proof any more. Mails
 * that bounced stay: they show that the address is dead. All mails of an identity go when it was buried that long ago.
 * @returns how many were deleted
 */
export async function forgetOldMails(pool: pg.Pool, before: Date): Promise<number> {
  const gone = await pool.query(
    // guard: retention: the mails of an absence that lasts are kept
    `DELETE FROM mail WHERE message_key = ANY(ARRAY(
       SELECT message_key FROM mail JOIN standing USING (identity_id)
       WHERE settled_at < $1 AND settled_at < standing.last_active_at AND bounce_class IS NULL
       UNION ALL
       SELECT message_key FROM mail JOIN tombstone USING (identity_id)
       WHERE settled_at < $1 AND tombstone.deleted_at < $1
       LIMIT $2))`,
    [before, removedAtOnce],
  );
  return gone.rowCount ?? 0;
}
