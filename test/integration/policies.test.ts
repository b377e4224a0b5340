/** Policies in PostgreSQL: first versions, publications, rollbacks, and a text that somebody altered. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedgerActivities } from '../../src/activities/ledger.js';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { breakerOverview } from '../../src/breaker/overview.js';
import { installationId } from '../../src/domain/audit-entry.js';
import { readPolicy } from '../../src/looks/plan-in-force.js';
import {
  AlteredPolicyError,
  latestPolicies,
  listPolicies,
  PolicyReader,
  policyHash,
  UnknownPolicyError,
} from '../../src/policies/policies-table.js';
import {
  PolicyMovedError,
  publishPolicy,
  rollBackPolicy,
  seedPolicy,
} from '../../src/policies/publication.js';
import { PolicyFileError } from '../../src/policies/yaml.js';
import { defaultWorklistLimits } from '../../src/worklist/rules.js';
import { readWork } from '../../src/worklist/worklist.js';
import { alterPolicy } from '../support/alter-policy.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh, slowPolicy } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;
let policies: PolicyReader;
beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
  policies = new PolicyReader(pool);
});
afterAll(() => database.close());

const by = (expected: number, actor = 'op-1') => ({ actor, reason: 'a new rule', at: Date.now(), expected });
const file = (text: string) => ({ text, file: 'test.yaml' });
const auditOf = async (id: string) =>
  (await readAudit(pool, installationId)).filter(({ policyId }) => policyId === id);
const versionsOf = async (id: string) =>
  (await listPolicies(pool)).filter((policy) => policy.id === id).map(({ version }) => version);

describe('publishing a policy', () => {
  it('makes the next version, and an audit entry that names actor, reason, id, version and hash', async () => {
    const id = fresh('policy');
    const text = slowPolicy(id);
    const { reference, isNew } = await publishPolicy(pool, file(text), by(0));
    expect({ reference, isNew }).toEqual({
      reference: { id, version: 1, hash: policyHash(text) },
      isNew: true,
    });
    expect(await auditOf(id)).toMatchObject([
      {
        eventType: 'policy_published',
        actor: 'op-1',
        policyVersion: 1,
        stage: 'none',
        detail: { reason: 'a new rule', policyId: id, version: 1, hash: policyHash(text) },
      },
    ]);
    const second = await publishPolicy(pool, file(slowPolicy(id, '# other\n')), by(1, 'op-2'));
    expect(second.reference.version).toBe(2);
    expect((await policies.read(id)).reference).toEqual(second.reference);
    expect((await policies.read(id, 1)).reference).toEqual(reference);
    expect((await verifyAudit(pool)).brokenAt).toBeUndefined();
  });

  it('does nothing for the text that is in force, whatever version was expected', async () => {
    const id = fresh('policy');
    const first = await publish(pool, slowPolicy(id));
    for (const expected of [0, 1, 7]) {
      const again = await publishPolicy(pool, file(slowPolicy(id)), by(expected));
      expect(again).toEqual({ reference: first, isNew: false });
    }
    expect(await versionsOf(id)).toEqual([1]);
    expect(await auditOf(id)).toHaveLength(1);
  });

  it('makes a new version of an old text if the latest version is expected, and refuses it otherwise', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    await publish(pool, slowPolicy(id, '# other\n'));
    await expect(publishPolicy(pool, file(slowPolicy(id)), by(1))).rejects.toThrow(PolicyMovedError);
    expect(await versionsOf(id)).toEqual([1, 2]);
    expect((await publishPolicy(pool, file(slowPolicy(id)), by(2))).reference.version).toBe(3);
  });

  it('lets one of eight win who publish different texts at once on the same latest version, and tells the others', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    const ends = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        publishPolicy(pool, file(slowPolicy(id, `# ${index}\n`)), by(1)),
      ),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) {
      if (end.status === 'fulfilled') continue;
      expect(end.reason).toBeInstanceOf(PolicyMovedError);
      expect(String(end.reason)).toMatch(/decided on version 1, and version 2 is the latest.*--expect 2/s);
    }
    expect(await versionsOf(id)).toEqual([1, 2]);
    expect(await auditOf(id)).toHaveLength(2);
  });

  it('gives eight who publish one text at once the same version', async () => {
    const id = fresh('policy');
    const all = await Promise.all(
      Array.from({ length: 8 }, () => publishPolicy(pool, file(slowPolicy(id)), by(0))),
    );
    expect(new Set(all.map(({ reference }) => reference.version))).toEqual(new Set([1]));
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it('refuses an expected version that does not exist yet, without saying that somebody published', async () => {
    const id = fresh('policy');
    await expect(publishPolicy(pool, file(slowPolicy(id)), by(3))).rejects.toThrow(/none was ever published/);
    await publish(pool, slowPolicy(id));
    const work = publishPolicy(pool, file(slowPolicy(id, '# other\n')), by(3));
    await expect(work).rejects.toThrow(/decided on version 3, and version 1 is the latest\. Nothing/);
  });

  it('refuses a broken text and one with a control character, with the place, and stores nothing', async () => {
    const id = fresh('policy');
    const broken = slowPolicy(id).replace('after: 90d', 'after: 90 days');
    const work = publishPolicy(pool, file(broken), by(0));
    await expect(work).rejects.toThrow(PolicyFileError);
    await expect(work).rejects.toThrow(/^test\.yaml:4: ladder\.revoke\.after: /);
    for (const character of ['\0', '\u001b', '\u0007']) {
      const spoilt = publishPolicy(pool, file(slowPolicy(id, `# a${character}b\n`)), by(0));
      await expect(spoilt).rejects.toThrow(/^test\.yaml:8: holds a control character/);
    }
    await expect(policies.read(id)).rejects.toThrow(UnknownPolicyError);
    expect(await auditOf(id)).toEqual([]);
  });

  it('stores no version where its audit entry can not be written', async () => {
    const id = fresh('policy');
    await pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'no entry'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()`);
    try {
      await expect(publishPolicy(pool, file(slowPolicy(id)), by(0))).rejects.toThrow(/no entry/);
    } finally {
      await pool.query('DROP TRIGGER refuse ON audit; DROP FUNCTION refuse()');
    }
    expect(await versionsOf(id)).toEqual([]);
  });
});

describe('rolling a policy back', () => {
  it('publishes the old text as a new version, with an audit entry that says so', async () => {
    const id = fresh('policy');
    const first = await publish(pool, slowPolicy(id));
    await publish(pool, slowPolicy(id, '# worse\n'));
    const { reference, isNew } = await rollBackPolicy(pool, { id, to: 1 }, by(2, 'op-3'));
    expect({ reference, isNew }).toEqual({ reference: { ...first, version: 3 }, isNew: true });
    expect((await auditOf(id)).at(-1)).toMatchObject({
      eventType: 'policy_rolled_back',
      actor: 'op-3',
      outcome: 'to version 1',
      policyVersion: 3,
      detail: { reason: 'a new rule', policyId: id, version: 3, hash: first.hash },
    });
  });

  it('does nothing if the version is in force', async () => {
    const id = fresh('policy');
    const first = await publish(pool, slowPolicy(id));
    expect(await rollBackPolicy(pool, { id, to: 1 }, by(1))).toEqual({ reference: first, isNew: false });
    expect(await versionsOf(id)).toEqual([1]);
  });

  it('refuses an unknown id, an unknown version, and a decision on a version that is no longer the latest', async () => {
    const id = fresh('policy');
    await expect(rollBackPolicy(pool, { id, to: 1 }, by(0))).rejects.toThrow(UnknownPolicyError);
    await publish(pool, slowPolicy(id));
    await publish(pool, slowPolicy(id, '# second\n'));
    await publish(pool, slowPolicy(id, '# third\n'));
    await expect(rollBackPolicy(pool, { id, to: 4 }, by(3))).rejects.toThrow(/version 4 was never published/);
    await expect(rollBackPolicy(pool, { id, to: 1 }, by(2))).rejects.toThrow(PolicyMovedError);
    expect(await versionsOf(id)).toEqual([1, 2, 3]);
  });

  it('refuses a text that the present rules no longer accept', async () => {
    const id = fresh('policy');
    await pool.query(
      "INSERT INTO policy (id, version, hash, source, published_at) VALUES ($1, 1, $2, 'id: [', now())",
      [id, policyHash('id: [')],
    );
    await publish(pool, slowPolicy(id));
    await expect(rollBackPolicy(pool, { id, to: 1 }, by(2))).rejects.toThrow(PolicyFileError);
    expect(await versionsOf(id)).toEqual([1, 2]);
  });
});

describe('the first version', () => {
  it('is published once by workers that start at once with different files, in the name of the engine', async () => {
    const id = fresh('policy');
    const seeds = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        seedPolicy(pool, file(slowPolicy(id, `# ${index}\n`)), Date.now()),
      ),
    );
    expect(seeds.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(seeds.map(({ reference }) => reference.hash)).size).toBe(1);
    expect(await versionsOf(id)).toEqual([1]);
    expect(await auditOf(id)).toMatchObject([{ eventType: 'policy_published', actor: 'engine' }]);
  });

  it('never replaces a version that operators published', async () => {
    const id = fresh('policy');
    const seed = () => seedPolicy(pool, file(slowPolicy(id)), Date.now());
    await seed();
    const second = await publish(pool, slowPolicy(id, '# of an operator\n'));
    expect(await seed()).toEqual({ reference: second, isNew: false });
    expect(await versionsOf(id)).toEqual([1, 2]);
  });
});

describe('a text that was altered in the database', () => {
  const altered = async () => {
    const id = fresh('policy');
    const { hash } = await publish(pool, slowPolicy(id));
    await policies.read(id);
    await alterPolicy(pool, id, 1, 'after: 90d', 'after: 91d');
    return { id, hash };
  };

  it('is refused although the text of its hash was read before', async () => {
    const { id } = await altered();
    const work = policies.read(id);
    await expect(work).rejects.toThrow(AlteredPolicyError);
    await expect(work).rejects.toThrow(new RegExp(`"${id}" version 1 was altered .*dormouse policy publish`));
  });

  it('is named by the work list and the state of the breaker, beside their other content', async () => {
    const { id } = await altered();
    const intact = await publish(pool, slowPolicy(fresh('policy')));
    const { policies: readable, refused } = await latestPolicies(pool);
    expect(readable.map(({ reference }) => reference.id)).toContain(intact.id);
    expect(readable.map(({ reference }) => reference.id)).not.toContain(id);
    expect(refused.map(({ policy }) => policy)).toContain(`${id}@1`);
    const now = Date.now();
    const { items } = await readWork(
      pool,
      { ...defaultWorklistLimits, now },
      { kind: 'policy-altered', rows: 100 },
    );
    expect(items).toContainEqual(
      expect.objectContaining({
        subject: `${id}@1`,
        why: expect.stringMatching(/was altered in the database/),
      }),
    );
    const { warnings } = await breakerOverview(pool, now, now);
    expect(warnings.filter((warning) => warning.includes(`"${id}" version 1 was altered`))).toHaveLength(1);
  });

  it('is refused to a request, and to a rollback', async () => {
    const { id } = await altered();
    const ledger = createLedgerActivities({ pool, policies });
    const failure = { type: 'PolicyAltered', nonRetryable: true };
    await expect(ledger.checkPolicy({ policyChoice: { id } })).rejects.toMatchObject(failure);
    await publish(pool, slowPolicy(id, '# second\n'));
    await expect(rollBackPolicy(pool, { id, to: 1 }, by(2))).rejects.toThrow(AlteredPolicyError);
    expect(await versionsOf(id)).toEqual([1, 2]);
  });

  it('makes a lifecycle try again, so that it continues by itself after the right text was published', async () => {
    const { id, hash } = await altered();
    const failure = { type: 'PolicyAltered', nonRetryable: false };
    await expect(readPolicy(policies, { id })).rejects.toMatchObject(failure);
    // The same text as before: the hash decides which text is in force, so this is a new version.
    expect(await publishPolicy(pool, file(slowPolicy(id)), by(1))).toMatchObject({
      reference: { version: 2, hash },
      isNew: true,
    });
    expect((await readPolicy(policies, { id })).reference).toEqual({ id, version: 2, hash });
  });

  it('is marked in the list, and no other version is', async () => {
    const { id } = await altered();
    const intact = await publish(pool, slowPolicy(fresh('policy')));
    const list = await listPolicies(pool);
    expect(list.find((policy) => policy.id === id)).toMatchObject({ isIntact: false, isLatest: true });
    expect(list.find((policy) => policy.id === intact.id)).toMatchObject({ isIntact: true, isLatest: true });
  });
});
