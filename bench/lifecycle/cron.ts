/** The baseline without workflows: a daily sweep in SQL, and for each identity that is due the same calls to Kratos and Hydra. */
import pLimit from 'p-limit';
import type pg from 'pg';
import type { OryClients } from '../../src/ory/clients.js';
import { type Burst, burstOf } from './figures.js';

/** As many as a Dormouse worker has under way. */
const atOnce = 20;

export async function measureCron(
  pool: pg.Pool,
  { identities, oauth2 }: OryClients,
  ids: readonly string[],
): Promise<Burst> {
  await pool.query(
    'CREATE TABLE cron_user (id uuid PRIMARY KEY, last_active_at timestamptz, deactivated_at timestamptz)',
  );
  await pool.query(
    "INSERT INTO cron_user SELECT id, now() - interval '31 days' FROM unnest($1::uuid[]) AS id",
    [ids],
  );
  const begunAt = Date.now();
  const { rows } = await pool.query<{ id: string }>(
    "SELECT id FROM cron_user WHERE last_active_at < now() - interval '30 days' AND deactivated_at IS NULL",
  );
  const doneAt: number[] = [];
  const limit = pLimit(atOnce);
  const deactivate = async (id: string) => {
    await identities.patchIdentity({ id, jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }] });
    await identities.deleteIdentitySessions({ id }).catch(ignoreAbsence);
    await oauth2.revokeOAuth2ConsentSessions({ subject: id, all: true });
    await oauth2.revokeOAuth2LoginSessions({ subject: id });
    await pool.query('UPDATE cron_user SET deactivated_at = now() WHERE id = $1', [id]);
    doneAt.push(Date.now());
  };
  await Promise.all(rows.map(({ id }) => limit(() => deactivate(id))));
  return burstOf(doneAt, begunAt, Number.NaN);
}

/** Kratos answers 404 where there is no session. */
function ignoreAbsence(error: unknown): void {
  const isAbsent = error instanceof Error && 'status' in error && error.status === 404;
  if (!isAbsent) throw error;
}
