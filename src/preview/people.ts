/** The people who follow a policy, page by page: their standing, and what was read since. Memory is that of two pages. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { readWarnedDates } from '../audit/log-table.js';
import type { FoundIdentity } from '../domain/lifecycle/assessment.js';
import type { Unverified } from '../domain/mail-choices.js';
import type { PolicySubject } from '../domain/plan.js';
import type { Standing } from '../domain/standing.js';
import { exemptionsOf } from '../exemptions/exemptions-table.js';
import type { Known } from '../forecast/life-of.js';
import { readPostponementsOf } from '../links/postponements-table.js';
import { subjectOf } from '../looks/plan-in-force.js';
import { mailAddresses } from '../mail/addresses.js';
import { type KratosIdentity, readIdentities } from '../ory/kratos-identity.js';
import { readSignsOfAll } from '../signs/signs-table.js';
import { type Disablement, isEnginesWork, readDisablements } from '../standings/disablements-table.js';
import { readStandingsUnder } from '../standings/standings-table.js';

/** What a plan and a forecast are made of. */
export interface Member {
  readonly subject: PolicySubject;
  readonly known: Omit<Known, 'planInForce'>;
}

export interface PeoplePage {
  readonly members: readonly Member[];
  /** Lifecycles whose identity Kratos does not know: nothing is said of them. */
  readonly missing: number;
  /** Lifecycles whose identity Kratos has in a form that can't be read: nothing is said of them. */
  readonly unreadable: number;
}

export interface ReadMembers {
  /** In the order of the standings. */
  readonly members: readonly Member[];
  /** Ids of those whose identity can't be read. */
  readonly unreadable: ReadonlySet<string>;
}

export interface PeopleDependencies {
  readonly pool: pg.Pool;
  readonly identities: IdentityApi;
  readonly unverified?: Unverified;
}

/** A few lists of Kratos, asked for while the caller works on the page before. */
const pageRows = 400;

/** Reads the next page while the caller works on this one. */
export async function* readPeople(deps: PeopleDependencies, policyId: string): AsyncGenerator<PeoplePage> {
  let standings = await readStandingsUnder(deps.pool, policyId, { rows: pageRows });
  let next = standings.length === 0 ? undefined : readPage(deps, standings);
  while (next !== undefined) {
    const page = await next;
    const after = standings.at(-1)?.identityId;
    standings =
      standings.length < pageRows || after === undefined
        ? []
        : await readStandingsUnder(deps.pool, policyId, { after, rows: pageRows });
    next = standings.length === 0 ? undefined : readPage(deps, standings);
    // The caller handles this page first. A failure meanwhile is thrown when its turn comes.
    next?.catch(() => undefined);
    yield page;
  }
}

async function readPage(deps: PeopleDependencies, standings: readonly Standing[]): Promise<PeoplePage> {
  const { members, unreadable } = await readMembers(deps, standings);
  const missing = standings.length - members.length - unreadable.size;
  return { members, missing, unreadable: unreadable.size };
}

/** @returns what is known of those whose identity Kratos knows */
export async function readMembers(
  deps: PeopleDependencies,
  standings: readonly Standing[],
): Promise<ReadMembers> {
  const { pool, identities } = deps;
  const ids = standings.map(({ identityId }) => identityId);
  const warned = standings.flatMap(({ stage, identityId }) => (stage === 'warned' ? [identityId] : []));
  const [{ found, unreadable }, signs, exemptions, postponements, disablements, dates] = await Promise.all([
    readIdentities(identities, ids),
    readSignsOfAll(pool, ids),
    exemptionsOf(pool, ids),
    readPostponementsOf(pool, ids),
    readDisablements(pool, ids),
    readWarnedDates(pool, warned),
  ]);
  const members = standings.flatMap((standing): Member[] => {
    const { identityId } = standing;
    const identity = found.get(identityId);
    if (identity === undefined) return [];
    const announcedAt = dates.get(identityId);
    return [
      {
        subject: subjectOf(identityId, identity, exemptions.get(identityId)),
        known: {
          standing,
          identity: foundIdentity(identity, disablements.get(identityId)),
          activity: signs.get(identityId) ?? {},
          postponements: postponements.get(identityId) ?? [],
          hasAddress: mailAddresses(identity, deps.unverified).length > 0,
          ...(announcedAt !== undefined && { announcedAt }),
        },
      },
    ];
  });
  return { members, unreadable };
}

function foundIdentity(identity: KratosIdentity, disablement: Disablement | undefined): FoundIdentity {
  const stateChangedAt = identity.state_changed_at ?? identity.created_at;
  return {
    state: identity.state,
    stateChangedAt,
    createdAt: identity.created_at,
    disabledByEngine: identity.state === 'inactive' && isEnginesWork(disablement, stateChangedAt),
    // Only shown to apps; no rule rests on it.
    publishedStage: 'active',
  };
}
