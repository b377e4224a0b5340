/** What previews and simulations read from, as the environment names it. */
import type pg from 'pg';
import { readConfig } from '../config.js';
import { createKratosClient } from '../ory/clients.js';
import type { PeopleDependencies } from './people.js';

/** @throws ConfigError where the environment names no Kratos */
export function previewDependencies(pool: pg.Pool): PeopleDependencies {
  const config = readConfig(['DORMOUSE_KRATOS_ADMIN_URL', 'DORMOUSE_ORY_TOKEN', 'DORMOUSE_MAIL_UNVERIFIED']);
  const identities = createKratosClient(config.DORMOUSE_KRATOS_ADMIN_URL, {
    token: config.DORMOUSE_ORY_TOKEN,
    timeoutMs: 60_000,
  });
  return { pool, identities, unverified: config.DORMOUSE_MAIL_UNVERIFIED };
}
