/**
 * Reads the actual state from Kratos, Hydra, the mailbox and the audit log, and
 * compares it with the expectations.
 */

import { isAxiosError } from 'axios';
import type pg from 'pg';
import { type AuditRow, readAudit } from '../../src/audit/log-table.js';
import { dayMs } from '../../src/domain/duration.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import type { RungName } from '../../src/domain/rungs.js';
import { type CaughtMail, kindsFor } from './mailbox.js';
import type { OryPeople } from './ory-people.js';
import type { Player } from './player.js';

export interface Finding {
  readonly who: string;
  /** What was checked, and where. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  readonly holds: boolean;
}

export interface TruthSources {
  readonly people: OryPeople;
  readonly pool: pg.Pool;
  readonly mails: readonly CaughtMail[];
  readonly policy: Policy;
}

/** @returns one finding for each expectation */
export async function findingsOf(player: Player, sources: TruthSources): Promise<Finding[]> {
  const { expected, name } = player.role;
  const findings: Finding[] = [];
  const add = (what: string, wanted: string, found: string) =>
    findings.push({ who: name, what, expected: wanted, found, holds: wanted === found });

  add('stage (standing)', expected.stage, player.standing?.stage ?? 'none');
  if (expected.blocked !== undefined)
    add('blocked by (standing)', expected.blocked, player.standing?.blocked?.by ?? 'nothing');
  add('identity (Kratos)', expected.kratos, await kratosState(player, sources));
  if (player.disabledAt !== undefined) {
    add('last change of state (Kratos)', player.disabledAt, await stateChangedAt(player, sources));
  }
  add('mails (mailbox)', list(expected.mails), list(kindsFor(sources.mails, player.person.email)));
  const audit = await readAudit(sources.pool, player.person.id);
  add('audit log', list(expected.audit), list(audit.map(({ eventType }) => eventType)));
  add('rungs acted early (audit log)', 'none', earlyRungs(player, audit, sources.policy));
  await addCredentials(player, sources, add);
  return findings;
}

type Add = (what: string, expected: string, found: string) => void;

async function addCredentials(player: Player, { people }: TruthSources, add: Add): Promise<void> {
  const { expected } = player.role;
  const { first, second } = player;
  const alive = (is: boolean) => (is ? 'alive' : 'dead');
  if (first !== undefined && expected.firstCredentials !== undefined) {
    const wanted = expected.firstCredentials;
    add('first session (Kratos whoami)', wanted, alive(await people.isSignedIn(first.signIn)));
    add('first refresh token (Hydra)', wanted, alive(await people.isTokenActive(first.tokens.refreshToken)));
    add('first access token (Hydra)', wanted, alive(await people.isTokenActive(first.tokens.accessToken)));
  }
  if (expected.backIn) {
    add(
      'fresh session (Kratos whoami)',
      'alive',
      second === undefined ? 'none' : alive(await people.isSignedIn(second)),
    );
    const shown = second === undefined ? 'none' : ((await people.stageInWhoami(second)) ?? 'active');
    add('stage in whoami (Kratos)', 'active', shown);
  }
}

const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(' '));

async function kratosState(player: Player, { people }: TruthSources): Promise<string> {
  try {
    const { data } = await people.identities.getIdentity({ id: player.person.id });
    return data.state ?? 'none';
  } catch (error) {
    if (isAxiosError(error) && error.response?.status === 404) return 'gone';
    throw error;
  }
}

async function stateChangedAt(player: Player, { people }: TruthSources): Promise<string> {
  const { data } = await people.identities.getIdentity({ id: player.person.id });
  // Kratos returns a changed time with more digits than it stores.
  const same = Date.parse(data.state_changed_at ?? '') === Date.parse(player.disabledAt ?? '');
  return same ? (player.disabledAt ?? 'none') : (data.state_changed_at ?? 'none');
}

const rungOfEvent: Readonly<Record<string, RungName>> = {
  inactivity_warned: 'warn',
  actions_suspended: 'suspend',
  tokens_revoked_stale: 'revoke',
  winback_sent: 'winback',
  account_deactivated: 'deactivate',
  account_deleted: 'delete',
};

/** Rungs that were carried out before the policy's threshold had passed. */
function earlyRungs(player: Player, audit: readonly AuditRow[], policy: Policy): string {
  const isAdmin = player.role.name === 'admin';
  const admin = policy.roles.admin;
  const early = audit.flatMap(({ eventType, daysInactive }) => {
    const rung = rungOfEvent[eventType];
    if (rung === undefined) return [];
    const base = policy.ladder[rung]?.after ?? 0;
    const after = isAdmin && admin !== undefined && admin !== 'never' ? (admin[rung]?.after ?? base) : base;
    return Math.round(daysInactive * dayMs) < after ? [rung] : [];
  });
  return list(early);
}
