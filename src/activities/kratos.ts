/**
 * Activities on Kratos: look, publish the stage, end sessions, disable, enable.
 * Each may run again at any time.
 */

import { readConfirmation } from '../absence/confirmations-table.js';
import { controlAbsence, Witnesses } from '../absence/control.js';
import { isAnonymised, readBurial } from '../deletion/tombstones-table.js';
import { given } from '../domain/given.js';
import type { Absence } from '../domain/lifecycle/absence.js';
import type { Assessment } from '../domain/lifecycle/assessment.js';
import { formerOf } from '../domain/lifecycle/former.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import { planFor } from '../domain/plan.js';
import { exemptionInForce } from '../exemptions/exemptions-table.js';
import { readHolds } from '../holds/holds-table.js';
import type { IdentifierKey } from '../keys/identifier-hash.js';
import { readPostponements } from '../links/postponements-table.js';
import { forgetReturnAddresses, keepReturnAddresses } from '../links/return-addresses-table.js';
import { readEvidence } from '../looks/evidence.js';
import {
  type ActOutcome,
  assertFresh,
  type LastLook,
  type LookDependencies,
  stopOf,
  stopped,
  whatStops,
} from '../looks/last-look.js';
import { readNotices } from '../looks/notice-proof.js';
import { readPolicy, subjectOf } from '../looks/plan-in-force.js';
import { countAddresses, everyAddress, mailAddresses } from '../mail/addresses.js';
import { createNotifiedAddresses, type NotifiedAddresses } from '../mail/notified-addresses-table.js';
import { callOry } from '../ory/call.js';
import {
  type KratosIdentity,
  latestAuthentication,
  readIdentity,
  readSessions,
} from '../ory/kratos-identity.js';
import { patchIdentity } from '../ory/patch-identity.js';
import { tryAgain } from '../process/step-error.js';
import { isEnrolled, readLivingStanding } from '../reconciliation/reconciliations-table.js';
import {
  assumeDisablement,
  confirmDisablement,
  forgetDisablement,
  intendDisablement,
  isEnginesWork,
  isUnconfirmed,
  readDisablement,
} from '../standings/disablements-table.js';
import { publishedStage, publishStage, type StageToPublish } from './published-stage.js';

export interface KratosDependencies extends LookDependencies {
  /** Default: kept in PostgreSQL. */
  readonly notified?: NotifiedAddresses;
  /**
   * The key for keeping the addresses of deactivated identities, for the page where a reactivation link is
   * requested. Absent: they are not kept.
   */
  readonly identifierKey?: IdentifierKey;
  /** Where operators' browsers reach the desk. Absent: there is none, or workers were not told. */
  readonly deskUrl?: string;
}

export interface EndedSessions {
  readonly ended: number;
  /** Epoch milliseconds. */
  readonly authenticatedAt?: number;
  /** Why the last look stopped the step before any session ended. */
  readonly stopped?: ActOutcome;
}

/** How often sessions are deleted and listed again before the step is retried with back-off. */
const revocationRounds = 5;

export function createKratosActivities(deps: KratosDependencies) {
  const { identities, pool, clock } = deps;
  const notified = deps.notified ?? createNotifiedAddresses(pool);
  const witnesses = new Witnesses(pool);

  async function changeState(
    identityId: string,
    state: 'active' | 'inactive',
  ): Promise<KratosIdentity | undefined> {
    const patched = await patchIdentity(identities, identityId, [
      { op: 'replace', path: '/state', value: state },
    ]);
    if (!patched) return undefined;
    // Reads again, because the answer to the call differs from what later reads are compared with.
    const after = await readIdentity(identities, identityId);
    // guard: a change of state is read back
    if (after !== undefined && after.state !== state) {
      throw tryAgain('StateNotTaken', `the identity is still ${after.state}`);
    }
    return after;
  }

  async function stopOfRevocation(look: LastLook): Promise<ActOutcome | undefined> {
    const lookedAt = await clock.now();
    const identity = await readIdentity(identities, look.identityId);
    if (identity === undefined) return stopped(deps, look, { outcome: 'gone' });
    const stop = await stopOf(deps, look, identity);
    if (stop !== undefined) return stopped(deps, look, stop);
    await assertFresh(clock, lookedAt);
    return undefined;
  }

  return {
    /** Reads everything that the ladder decides by. */
    async assess(input: {
      identityId: string;
      policyChoice: PolicyChoice;
      /** Keys of the running notices. */
      notices?: readonly string[];
      /** Key of the last warning. */
      warning?: string;
      /** The lifecycle has no memory, so the last projection is read too. */
      isNew?: true;
      /** Writes nothing at all, and counts the addresses that a mail would go to. */
      isPreview?: true;
    }): Promise<Assessment> {
      const { identityId } = input;
      const stored = await readPolicy(deps.policies, input.policyChoice);
      // Read before the others: an error before all promises are awaited together
      // would leave a rejection unhandled.
      const now = await clock.now();
      const [found, exemption, kept, former] = await Promise.all([
        readIdentity(identities, identityId),
        exemptionInForce(pool, identityId),
        readHolds(pool, identityId, now),
        input.isNew ? readLivingStanding(pool, identityId) : undefined,
      ]);
      const known = {
        ...(kept.count > 0 && { holds: kept }),
        ...(former && { former: formerOf(former) }),
        ...(!input.isPreview && given({ deskUrl: deps.deskUrl })),
      };
      // The shell of an anonymised person is not a person.
      const isShell = found?.state === 'inactive' && (await isAnonymised(pool, identityId));
      // guard: an anonymised shell has no lifecycle
      const identity = isShell ? undefined : found;
      const subject = subjectOf(identityId, identity, exemption);
      const plan = planFor(stored.policy, stored.reference, subject);
      if (identity === undefined) {
        return {
          activity: {},
          plan,
          ...known,
          ...(isShell ? {} : { absence: await absenceOf(deps, identityId) }),
        };
      }
      // guard: preview: it notes no witness
      if (!input.isPreview) await witnesses.note(identity, now);
      const keys = input.notices ?? [];
      const warningKeys = input.warning === undefined ? [] : [input.warning];
      const [activity, disablement, postponements, notices, [warning], hasMoved, buried] = await Promise.all([
        readEvidence(deps, identityId),
        identity.state === 'inactive' ? readDisablement(pool, identityId) : undefined,
        readPostponements(pool, identityId),
        readNotices(deps, identity, keys),
        readNotices(deps, identity, warningKeys),
        haveAddressesChanged(deps, notified, identity, keys),
        readBurial(pool, identityId),
      ]);
      const stateChangedAt = identity.state_changed_at ?? identity.created_at;
      const disabledByEngine = isEnginesWork(disablement, stateChangedAt);
      // guard: preview: it keeps no return address
      // guard: return: the mailbox on record is known only while the engine keeps the person out
      if (disabledByEngine && deps.identifierKey !== undefined && !input.isPreview) {
        await keepReturnAddresses(pool, deps.identifierKey, identityId, everyAddress(identity));
      }
      const isAssumed = disabledByEngine && disablement !== undefined && isUnconfirmed(disablement);
      return {
        identity: {
          state: identity.state,
          stateChangedAt,
          createdAt: identity.created_at,
          disabledByEngine,
          ...(isAssumed && { disablementUnconfirmed: true as const }),
          publishedStage: publishedStage(identity)?.stage ?? 'active',
        },
        activity,
        plan,
        ...known,
        ...(postponements.length === 0 ? {} : { postponements }),
        ...(keys.length === 0 ? {} : { notices }),
        ...(hasMoved ? { addressesChanged: true as const } : {}),
        ...given({ warning, buried }),
        ...(input.isPreview && { addresses: countAddresses(identity, deps.unverified) }),
      };
    },

    publishStage: (input: StageToPublish) => publishStage(deps, input),

    /**
     * Deletes every session and lists again until none is left, including new ones. With a `look`: takes a
     * last look first, which may stop the step before any session ends.
     * @returns how many were ended, and the latest sign-in among them: a fresh
     * one means that the person is back
     */
    async endSessions(input: { identityId: string; look?: LastLook }): Promise<EndedSessions> {
      // guard: last look inside the call that revokes
      const stop = input.look === undefined ? undefined : await stopOfRevocation(input.look);
      if (stop !== undefined) return { ended: 0, stopped: stop };
      let ended = 0;
      let authenticatedAt: number | undefined;
      for (let round = 0; round <= revocationRounds; round += 1) {
        const sessions = await readSessions(identities, input.identityId);
        if (sessions.length === 0) {
          return { ended, ...present('authenticatedAt', authenticatedAt) };
        }
        ended += sessions.length;
        authenticatedAt = Math.max(authenticatedAt ?? 0, latestAuthentication(sessions) ?? 0);
        // guard: sessions are listed again until none is left
        await callOry('Kratos', 'deleteIdentitySessions', () =>
          identities.deleteIdentitySessions({ id: input.identityId }),
        );
      }
      throw tryAgain('SessionsRemain', `sessions were still listed after ${revocationRounds} rounds`);
    },

    /**
     * Sets the state to `inactive` after a last look. PostgreSQL records the intent first, so that after a
     * crash it is clear that the engine acted.
     */
    async disableIdentity(look: LastLook): Promise<ActOutcome> {
      const { identityId } = look;
      const lookedAt = await clock.now();
      const identity = await readIdentity(identities, identityId);
      if (identity === undefined) return stopped(deps, look, { outcome: 'gone' });
      const stateChangedAt = identity.state_changed_at ?? identity.created_at;
      if (identity.state === 'inactive') {
        const disablement = await readDisablement(pool, identityId);
        // guard: only the engine's own work: disabling
        if (!isEnginesWork(disablement, stateChangedAt)) {
          return stopped(deps, look, { outcome: 'left-alone' });
        }
        await assumeDisablement(pool, identityId, stateChangedAt);
        return { outcome: 'done' };
      }
      // guard: last look inside the call that disables
      const stop = await whatStops(deps, look, identity);
      if (stop !== undefined) return stopped(deps, look, stop);
      await assertFresh(clock, lookedAt);
      // guard: a disablement is announced before the call
      await intendDisablement(pool, identityId, stateChangedAt, await clock.now());
      const after = await changeState(identityId, 'inactive');
      if (after === undefined) return { outcome: 'gone' };
      await confirmDisablement(pool, identityId, after.state_changed_at ?? after.created_at);
      return { outcome: 'done' };
    },

    /** Sets the state back to `active`, if the engine had set it to `inactive`. */
    async enableIdentity(input: { identityId: string }): Promise<ActOutcome> {
      const { identityId } = input;
      const identity = await readIdentity(identities, identityId);
      if (identity === undefined) return { outcome: 'gone' };
      if (identity.state === 'inactive') {
        const disablement = await readDisablement(pool, identityId);
        const stateChangedAt = identity.state_changed_at ?? identity.created_at;
        // guard: only the engine's own work: enabling
        if (!isEnginesWork(disablement, stateChangedAt)) return { outcome: 'left-alone' };
        const after = await changeState(identityId, 'active');
        if (after === undefined) return { outcome: 'gone' };
      }
      await forgetReturnAddresses(pool, identityId);
      await forgetDisablement(pool, identityId);
      return { outcome: 'done' };
    },
  };
}

export type KratosActivities = ReturnType<typeof createKratosActivities>;

/** What it proves that Kratos does not know the identity. */
async function absenceOf(deps: KratosDependencies, identityId: string): Promise<Absence> {
  const { pool } = deps;
  const [control, wasKnown, confirmation] = await Promise.all([
    controlAbsence(deps, identityId),
    isEnrolled(pool, identityId),
    readConfirmation(pool, identityId),
  ]);
  return { ...control, wasKnown, ...given({ confirmation }) };
}

async function haveAddressesChanged(
  { unverified }: KratosDependencies,
  notified: NotifiedAddresses,
  identity: KratosIdentity,
  keys: readonly string[],
): Promise<boolean> {
  if (keys.length === 0) return false;
  const told = mailAddresses(identity, unverified).map(({ value }) => value);
  const { added, former } = await notified.compare(identity.id, keys, {
    told,
    known: everyAddress(identity),
  });
  return added.length > 0 || former.length > 0;
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, Value>>);
}
