/**
 * The only identity that Kratos is asked for as a control of absences. Where requests are counted by
 * identity, nobody else's must come by chance.
 */
import pg from 'pg';
import { OryPeople } from '../../dev/demo/ory-people.js';
import type { StackInfo } from '../../dev/stack/index.js';
import { noteWitness } from '../../src/absence/witnesses-table.js';
import { forgetWitnesses } from './kratos-database.js';

export interface Bystander {
  /** Identities that are seen become witnesses again. */
  leave(): Promise<void>;
}

export async function standBy(stack: StackInfo): Promise<Bystander> {
  const people = new OryPeople(stack);
  const { id } = await people.create('bystander');
  const { data } = await people.identities.getIdentity({ id });
  const pool = new pg.Pool({ connectionString: stack.postgres.url, max: 1 });
  await forgetWitnesses(pool);
  await noteWitness(pool, {
    identityId: id,
    createdAt: Date.parse(data.created_at ?? ''),
    seenAt: Date.now(),
  });
  await pool.query(`
    CREATE OR REPLACE FUNCTION nobody_else() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE OR REPLACE TRIGGER nobody_else BEFORE INSERT ON kratos_witness
      FOR EACH ROW EXECUTE FUNCTION nobody_else();
  `);
  return {
    async leave() {
      await pool.query('DROP TRIGGER nobody_else ON kratos_witness; DROP FUNCTION nobody_else()');
      await pool.end();
    },
  };
}
