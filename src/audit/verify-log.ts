/**
 * Verifies the audit log against its own chain and against signed heads, from the database and from files.
 */
import type pg from 'pg';
import { ConfigError } from '../config.js';
import type { SigningKey } from '../keys/signing-keys.js';
import { type ChainHead, genesis } from './chain.js';
import { type Checkpoint, readCheckpoint } from './checkpoints-table.js';
import { problemOfHead } from './head-signature.js';
import { readHeads, type SignedHead, streamHeads } from './heads-table.js';
import { type BrokenRow, problemOfStart, walkChain } from './verification.js';

export interface VerifyLogOptions {
  /** Public keys for checking heads. Without any, heads in the database are compared but not trusted. */
  readonly keys: readonly SigningKey[];
  /** Heads exported earlier. They reveal a rewrite of the database by somebody with all rights. */
  readonly exported?: readonly SignedHead[];
  readonly pageSize?: number;
}

export interface LogVerdict {
  readonly rows: number;
  /** The first row that was changed. Absent when the log is intact. */
  readonly brokenAt?: number;
  /** Where only heads reveal a change, it is in one of the rows up to this one. */
  readonly brokenBy?: number;
  readonly why?: string;
  /** Heads that are themselves not sound. */
  readonly badHeads: readonly BrokenRow[];
  /** Where a pruned log begins. Absent: at its first row. */
  readonly prunedBefore?: { readonly seq: number; readonly at: number; readonly actor: string };
  /** Number of heads whose signature was checked, and the last row that they vouch for. */
  readonly headsChecked: number;
  readonly vouchedFor: number;
}

/** @throws ConfigError where exported heads are given without a key to check them */
export async function verifyLog(pool: pg.Pool, options: VerifyLogOptions): Promise<LogVerdict> {
  const { keys, exported = [], pageSize } = options;
  if (exported.length > 0 && keys.length === 0) {
    throw new ConfigError(
      'heads prove nothing without the key that signed them: give --public-key FILE, or set DORMOUSE_AUDIT_SIGNING_KEY',
    );
  }
  const checkpoint = await readCheckpoint(pool);
  const start: ChainHead = checkpoint ?? { seq: 0, hash: genesis };
  // Rows that a checkpoint removed can no longer be compared.
  const check = new HeadCheck(
    keys,
    exported.filter(({ seq }) => seq >= start.seq),
    checkpoint,
  );
  const wrong = await check.start(pool);
  if (wrong !== undefined) return check.verdict(start.seq, wrong);
  let last = start;
  for await (const { sound, broken } of walkChain(pool, start, pageSize)) {
    const end = sound.at(-1) ?? last;
    const contradiction = await check.compare(sound, await readHeads(pool, last.seq, end.seq));
    if (contradiction !== undefined) return check.verdict(end.seq, contradiction);
    last = end;
    if (broken !== undefined) return check.verdict(broken.seq, broken);
  }
  return check.verdict(last.seq, await check.beyond(last.seq, streamHeads(pool, last.seq)));
}

type Contradiction = BrokenRow & { readonly by?: number };

class HeadCheck {
  private readonly exportedAt: Map<number, SignedHead[]>;
  private readonly badHeads: BrokenRow[] = [];
  private headsChecked = 0;
  /** The last row that matches a head. */
  private matched = 0;

  constructor(
    private readonly keys: readonly SigningKey[],
    exported: readonly SignedHead[],
    private readonly checkpoint: Checkpoint | undefined,
  ) {
    this.exportedAt = byRow(exported);
  }

  /**
   * Checks the first row of a pruned log: who vouches for the rows before it, and whether it is still there.
   */
  async start(pool: pg.Pool): Promise<Contradiction | undefined> {
    if (this.checkpoint === undefined) return undefined;
    const { seq, hash } = this.checkpoint;
    const unsigned = this.keys.length === 0 ? undefined : await problemOfHead(this.checkpoint, this.keys);
    if (unsigned !== undefined) {
      return {
        seq,
        why: `the rows before it were removed, and of the head that vouches for them, ${unsigned}`,
      };
    }
    const why = await problemOfStart(pool, { seq, hash });
    if (why !== undefined) return { seq, why };
    return this.compare([{ seq, hash }], await readHeads(pool, seq - 1, seq));
  }

  /** Compares a page of rows with the heads of those rows. */
  async compare(
    rows: readonly ChainHead[],
    stored: readonly SignedHead[],
  ): Promise<Contradiction | undefined> {
    const storedAt = byRow(stored);
    for (const { seq, hash } of rows) {
      const heads = [...(storedAt.get(seq) ?? []), ...(this.exportedAt.get(seq) ?? [])];
      this.exportedAt.delete(seq);
      for (const head of heads) {
        if (!(await this.isSound(head))) continue;
        // guard: audit: heads show a chain computed anew
        if (head.hash !== hash) return this.contradictionOf(head);
        this.matched = seq;
      }
    }
    return undefined;
  }

  /** Heads of rows that no longer exist. */
  async beyond(rows: number, stored: AsyncIterable<SignedHead>): Promise<Contradiction | undefined> {
    for (const head of [...this.exportedAt.values()].flat()) {
      if (await this.isSound(head)) return missing(rows, head);
    }
    // guard: audit: heads show rows missing at the end
    for await (const head of stored) if (await this.isSound(head)) return missing(rows, head);
    return undefined;
  }

  verdict(rows: number, broken: Contradiction | undefined): LogVerdict {
    return {
      rows,
      ...(broken === undefined ? {} : { brokenAt: broken.seq, why: broken.why }),
      ...(broken?.by === undefined ? {} : { brokenBy: broken.by }),
      ...(this.checkpoint && {
        prunedBefore: {
          seq: this.checkpoint.seq,
          at: this.checkpoint.prunedAt,
          actor: this.checkpoint.actor,
        },
      }),
      badHeads: this.badHeads,
      headsChecked: this.headsChecked,
      vouchedFor: this.keys.length === 0 ? 0 : this.matched,
    };
  }

  private contradictionOf(head: SignedHead): Contradiction {
    const why = `the chain fits in itself, but it is not the one whose row ${head.seq} was signed on ${dateOf(head)}`;
    return { seq: this.matched + 1, by: head.seq, why };
  }

  private async isSound(head: SignedHead): Promise<boolean> {
    if (this.keys.length === 0) return true;
    const why = await problemOfHead(head, this.keys);
    if (why === undefined) this.headsChecked += 1;
    else this.badHeads.push({ seq: head.seq, why });
    return why === undefined;
  }
}

function byRow(heads: readonly SignedHead[]): Map<number, SignedHead[]> {
  const found = new Map<number, SignedHead[]>();
  for (const head of heads) {
    const others = found.get(head.seq);
    if (others === undefined) found.set(head.seq, [head]);
    else others.push(head);
  }
  return found;
}

function missing(rows: number, head: SignedHead): Contradiction {
  return {
    seq: rows + 1,
    why: `it is missing, and what followed it: row ${head.seq} was there on ${dateOf(head)}`,
  };
}

function dateOf(head: SignedHead): string {
  return new Date(head.at).toISOString();
}
