/** Signs the head of the audit log, after checking that the rows after the last signed head fit it. */
import type pg from 'pg';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import type { ChainHead } from './chain.js';
import { readChainStart } from './checkpoints-table.js';
import { problemOfHead, signHead } from './head-signature.js';
import { type SignedHead, streamHeadsBackwards, underSigningLock, writeHead } from './heads-table.js';
import { readHashAt } from './log-table.js';
import { type BrokenRow, walkChain } from './verification.js';

/**
 * The log differs from what was signed before, and no signature may cover that up.
 * An operator has to look into it.
 */
export class AuditBrokenError extends Error {
  override readonly name = 'AuditBrokenError';
  constructor({ seq, why }: BrokenRow) {
    super(
      `the audit log is broken at row ${seq}: ${why}. No head is signed until that is cleared up: ` +
        'run "dormouse audit verify --heads FILE" with heads that were exported before',
    );
  }
}

/**
 * Signs the latest row. One signer works at a time. A head that this key already signed is not signed again.
 * @param at epoch milliseconds
 * @param onForged called for each head that names this key but is not signed by it;
 * `audit verify` shows them as well
 * @returns the new head; `undefined` where there is nothing new
 * @throws AuditBrokenError
 */
export async function signLatestHead(
  pool: pg.Pool,
  key: PrivateSigningKey,
  at: number,
  onForged: (forged: BrokenRow) => void = () => undefined,
): Promise<SignedHead | undefined> {
  return underSigningLock(pool, async () => {
    const signed = await lastSignedPlace(pool, key, onForged);
    let last = signed;
    for await (const { sound, broken } of walkChain(pool, signed)) {
      last = sound.at(-1) ?? last;
      // guard: audit: a broken log is never signed
      if (broken !== undefined) throw new AuditBrokenError(broken);
    }
    if (last.seq === signed.seq) return undefined;
    const head = await signHead(last, at, key);
    await writeHead(pool, head);
    return head;
  });
}

/**
 * The place up to which this key's last signature vouches for the chain. Heads of other keys are
 * ignored, and so are heads that name this key but are not signed by it: anybody could add one,
 * and it must not stop the signing.
 */
async function lastSignedPlace(
  pool: pg.Pool,
  key: PrivateSigningKey,
  onForged: (forged: BrokenRow) => void,
): Promise<ChainHead> {
  const head = await lastSoundHead(pool, key, onForged);
  if (head === undefined) return readChainStart(pool);
  const { seq, hash } = head;
  const found = await readHashAt(pool, seq);
  if (found === hash) return { seq, hash };
  const why = found === undefined ? 'it is missing' : 'its hash is not the one that was signed';
  throw new AuditBrokenError({ seq, why });
}

/** @returns the last head that this key really signed */
export async function lastSoundHead(
  pool: pg.Pool,
  key: PrivateSigningKey,
  onForged: (forged: BrokenRow) => void,
): Promise<SignedHead | undefined> {
  for await (const head of soundHeadsBackwards(pool, key, onForged)) return head;
  return undefined;
}

/** The heads that this key really signed, last rows first. Heads that only name the key are skipped. */
export async function* soundHeadsBackwards(
  pool: pg.Pool,
  key: PrivateSigningKey,
  onForged: (forged: BrokenRow) => void,
): AsyncGenerator<SignedHead> {
  for await (const head of streamHeadsBackwards(pool, key.keyId)) {
    const why = await problemOfHead(head, [key]);
    // guard: audit: a forged head is passed over
    if (why === undefined) yield head;
    else onForged({ seq: head.seq, why });
  }
}
