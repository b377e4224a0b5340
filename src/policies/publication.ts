/**
 * Adds versions to the table `policy`: publications, rollbacks and the first
 * version, each with its audit entry.
 */
import type pg from 'pg';
import type { AuditEntry } from '../domain/audit-entry.js';
import { storable } from '../domain/free-text.js';
import { engineActor } from '../domain/names.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { inTransaction } from '../postgres/pool.js';
import {
  AlteredPolicyError,
  isIntact,
  latestVersion,
  type PolicyRow,
  policyHash,
  readPolicyRow,
} from './policies-table.js';
import { parsePolicyFile, parsePolicyToPublish } from './yaml.js';

/** Who decides on a version, and which version they decided on. */
export interface PolicyDecision {
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The latest version that the decider has seen; 0: none was published. */
  readonly expected: number;
  /** What the decision rests on, for the audit log, such as `on preview 0123456789ab`. */
  readonly basis?: string;
}

export interface Publication {
  /** The version that is in force now. */
  readonly reference: PolicyReference;
  /** False: this text was in force already, and nothing was written. */
  readonly isNew: boolean;
}

/** Somebody else has published since, so the decision was made about an older version. */
export class PolicyMovedError extends Error {
  override readonly name = 'PolicyMovedError';
  constructor(id: string, expected: number, latest: number) {
    const seen = expected === 0 ? 'no version' : `version ${expected}`;
    const since = expected < latest ? ': somebody else published since' : '';
    const found = latest === 0 ? 'none was ever published' : `version ${latest} is the latest${since}`;
    const wayOut =
      latest === 0
        ? 'Leave --expect out'
        : `Look at it (dormouse policy show ${id}). If the change is still right, repeat it with --expect ${latest}`;
    super(
      `policy "${id}": the change was decided on ${seen}, and ${found}. Nothing was published. ${wayOut}`,
    );
  }
}

/**
 * Publishes a policy file's text as the next version of its policy. A text that is already
 * in force makes no new version.
 * @param text a text that {@link parsePolicyToPublish} accepts
 * @param file its name, for messages
 * @throws PolicyFileError, PolicyMovedError
 */
export async function publishPolicy(
  pool: pg.Pool,
  { text, file }: { readonly text: string; readonly file: string },
  decision: PolicyDecision,
): Promise<Publication> {
  const { id } = parsePolicyToPublish(text, file);
  return inTransaction(pool, async (client) => {
    await lockPolicy(client, id);
    const outcome = decision.basis === undefined ? 'published' : `published ${storable(decision.basis)}`;
    return addVersion(client, { id, text, ...decision, eventType: 'policy_published', outcome });
  });
}

/**
 * Publishes the text of an earlier version as a new one.
 * @param to the earlier version
 * @throws UnknownPolicyError, AlteredPolicyError, PolicyMovedError, and PolicyFileError where the present
 * rules no longer accept that text
 */
export async function rollBackPolicy(
  pool: pg.Pool,
  { id, to }: { readonly id: string; readonly to: number },
  decision: PolicyDecision,
): Promise<Publication> {
  return inTransaction(pool, async (client) => {
    await lockPolicy(client, id);
    const earlier = await readPolicyRow(client, id, to);
    // guard: policies: no rollback to an altered text
    if (!isIntact(earlier)) throw new AlteredPolicyError(earlier);
    // guard: policies: no rollback to a text that is no policy any more
    parsePolicyFile(earlier.source, `${id}@${to}`);
    return addVersion(client, {
      id,
      text: earlier.source,
      ...decision,
      eventType: 'policy_rolled_back',
      outcome: `to version ${to}${decision.basis === undefined ? '' : ` ${storable(decision.basis)}`}`,
    });
  });
}

/**
 * Publishes a text as the first version of its policy, where there is none. Versions that operators published
 * since stay in force: no start of a worker reverts them. Safe from many workers at once.
 * @returns the version in force: its hash differs from the text's where operators published something else
 */
export async function seedPolicy(
  pool: pg.Pool,
  { text, file }: { readonly text: string; readonly file: string },
  at: number,
): Promise<Publication> {
  const { id } = parsePolicyToPublish(text, file);
  return inTransaction(pool, async (client) => {
    await lockPolicy(client, id);
    // guard: policies: a start takes back nothing that operators published
    if ((await latestVersion(client, id)) > 0) {
      const { version, hash } = await readPolicyRow(client, id);
      return { reference: { id, version, hash }, isNew: false };
    }
    return addVersion(client, {
      id,
      text,
      actor: engineActor,
      reason: 'no version was published yet',
      at,
      expected: 0,
      eventType: 'policy_published',
      outcome: 'first version',
    });
  });
}

async function lockPolicy(client: pg.PoolClient, id: string): Promise<void> {
  // guard: policies: one publication at a time
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`policy/${id}`]);
}

interface NextVersion extends PolicyDecision {
  readonly id: string;
  readonly text: string;
  readonly eventType: AuditEntry['eventType'];
  readonly outcome: string;
}

/** Call it under the policy's lock. */
async function addVersion(client: pg.PoolClient, next: NextVersion): Promise<Publication> {
  const { id, text, at, expected } = next;
  const latest = await latestVersion(client, id);
  const hash = policyHash(text);
  const inForce = latest === 0 ? undefined : await readPolicyRow(client, id);
  // Checked before --expect: a caller that repeats a publication after a lost answer already has the result.
  if (inForce !== undefined && holds(inForce, hash)) {
    return { reference: { id, version: latest, hash }, isNew: false };
  }
  // guard: policies: of two who publish at once, the second is told
  if (latest !== expected) throw new PolicyMovedError(id, expected, latest);
  const { eventType, outcome, actor, reason } = next;
  const added = await client.query<{ added: number; text_hash: string }>(
    'SELECT * FROM policy_add($1, $2, $3, $4, $5, $6, $7)',
    [id, text, eventType, outcome, storable(actor), storable(reason), Math.floor(at)],
  );
  const [row] = added.rows;
  if (row === undefined) throw new Error('policy_add answered nothing');
  return { reference: { id, version: row.added, hash: row.text_hash }, isNew: true };
}

/** A row with an altered text does not count: publishing the right text again is the way out. */
function holds(row: PolicyRow, hash: string): boolean {
  // guard: policies: an altered text is published again by the right one
  return row.hash === hash && isIntact(row);
}
