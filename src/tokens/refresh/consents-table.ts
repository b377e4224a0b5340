/** Table `refresh_consent`: where a consent of Hydra was given, until its grant comes. Hydra's token hook does not tell it. */
import type pg from 'pg';
import { dayMs } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import type { RequestOrigin } from '../../domain/tokens/refresh-staleness.js';
import { removeOld } from '../../postgres/remove-old.js';

/** A code lives for minutes. */
const keptForMs = dayMs;

export interface NotedConsent extends RequestOrigin {
  readonly identityId: string;
  readonly clientId: string;
  /** Hydra's `login_session_id`, which its tokens carry as `sid`. */
  readonly loginSid: string;
  readonly deviceName?: string;
}

/** The latest consent of a login and a client counts. @param now epoch milliseconds */
export async function noteConsent(pool: pg.Pool, consent: NotedConsent, now: number): Promise<void> {
  await pool.query(
    `INSERT INTO refresh_consent (login_sid, client_id, identity_id, address, user_agent, device_name, noted_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (login_sid, client_id) DO UPDATE SET identity_id = EXCLUDED.identity_id, address = EXCLUDED.address,
       user_agent = EXCLUDED.user_agent, device_name = EXCLUDED.device_name, noted_at = EXCLUDED.noted_at`,
    [
      consent.loginSid,
      consent.clientId,
      consent.identityId,
      consent.address ?? null,
      consent.userAgent ?? null,
      consent.deviceName ?? null,
      new Date(now),
    ],
  );
}

/** @returns nothing where no consent was noted, or it was another person's */
export async function readConsent(
  pool: pg.Pool,
  { loginSid, clientId, identityId }: Pick<NotedConsent, 'loginSid' | 'clientId' | 'identityId'>,
): Promise<RequestOrigin & { readonly deviceName?: string }> {
  const { rows } = await pool.query<{
    readonly address: string | null;
    readonly user_agent: string | null;
    readonly device_name: string | null;
  }>(
    'SELECT address, user_agent, device_name FROM refresh_consent WHERE login_sid = $1 AND client_id = $2 AND identity_id = $3',
    [loginSid, clientId, identityId],
  );
  const [row] = rows;
  return given({
    address: row?.address ?? undefined,
    userAgent: row?.user_agent ?? undefined,
    deviceName: row?.device_name ?? undefined,
  });
}

/** @param now epoch milliseconds */
export function forgetOldConsents(pool: pg.Pool, now: number): Promise<number> {
  return removeOld(pool, 'refresh_consent', 'noted_at < $1', new Date(now - keptForMs));
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetConsents(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM refresh_consent WHERE identity_id = $1', [identityId]);
}
