/**
 * One run of a lifecycle workflow: its memory, what was last read from outside, and the bookkeeping between
 * message handlers and the main loop. Knows Temporal only for time and visibility.
 */

import { patched, workflowInfo } from '@temporalio/workflow';
import type { WrittenBefore } from '../breaker/restored-database.js';
import type { AuditEntry, AuditEventType } from '../domain/audit-entry.js';
import { inDays } from '../domain/duration.js';
import { given } from '../domain/given.js';
import type { Missing } from '../domain/lifecycle/absence.js';
import type { Assessment, FoundIdentity, NoticeState } from '../domain/lifecycle/assessment.js';
import { inactiveSince } from '../domain/lifecycle/clock.js';
import { type Decision, decide, type Situation } from '../domain/lifecycle/decide.js';
import { withFormer } from '../domain/lifecycle/former.js';
import { areHoldsAtRest, withKeptHolds } from '../domain/lifecycle/hold-transitions.js';
import { liveStandingOf } from '../domain/lifecycle/live-standing.js';
import { suspendedUnwarned } from '../domain/lifecycle/lost-warning.js';
import { isSameDueStep } from '../domain/lifecycle/next-step.js';
import { type RunningNotice, runningNotices } from '../domain/lifecycle/notice-transitions.js';
import { stageOf } from '../domain/lifecycle/stage.js';
import { standingOf } from '../domain/lifecycle/standing-of.js';
import type { LifecycleState } from '../domain/lifecycle/state.js';
import { withAssessment, withAudit, withRemembered } from '../domain/lifecycle/transitions.js';
import type { Plan, PlanRung } from '../domain/plan.js';
import { signKinds } from '../domain/sign-of-life.js';
import type { LiveStanding, Standing } from '../domain/standing.js';
import { type Outside, outsideUnder, retryBeforePolicy } from './outside.js';
import { type Shown, showStanding } from './visibility.js';

/** In force until the policy was read for the first time: no rung, and every kind of sign of life counts. */
const planBeforePolicy: Plan = {
  policy: { id: 'none', version: 0, hash: '' },
  rungs: [],
  keepsAlive: signKinds,
  signalWindowMs: 0,
  recheckMs: 3_600_000,
  retry: retryBeforePolicy,
};

export class LifecycleRun {
  plan: Plan = planBeforePolicy;
  /** The activities for what a person or an operator waits for: handlers of requests, and {@link isUrgent} turns. */
  atOnce: Outside = outsideUnder(retryBeforePolicy, true);
  private inTurn: Outside = outsideUnder(retryBeforePolicy, false);
  /** Absent before the first look, and when Kratos does not know the identity. */
  identity: FoundIdentity | undefined;
  hasLooked = false;
  /** The running notices, where the last look found addresses other than those that they went to. */
  moved: readonly RunningNotice[] = [];
  /** The step being carried out, for people who ask meanwhile. */
  inProgress: string | undefined;
  /** Set by message handlers: the main loop should look again now. */
  attention = false;
  /** A person or an operator asked for {@link attention}. */
  isAsked = false;
  /** What the main loop does now, a person or an operator waits for. */
  isUrgent = false;
  /** Messages received in this run. Temporal's hard limit is 10,000 signals. */
  received = 0;
  /** Counters of operators' requests: received, known to the main loop at its last look, and carried out. */
  requested = 0;
  seen = 0;
  answered = 0;
  /** It continues from the last projection of a lifecycle that was lost. */
  isRestarted = false;
  /** Counts the begin and the end of each change of holds, so it is odd during a change. */
  holdChanges = 0;
  /** Resolves when the latest change of holds has ended. */
  holdsTurn: Promise<void> = Promise.resolve();
  /** The end is being written. Requests are refused. */
  hasEnded = false;
  isCancelled = false;

  /**
   * An act that the breaker granted and that has not begun. `isKept`: it continues after one
   * more look, without asking again.
   */
  grant: { readonly key: string; readonly isKept?: true } | undefined;

  private shown: Shown | undefined;
  /** As of the last look, so that a replay shows what was shown. */
  private deskUrl: string | undefined;
  /** As the projection has it; absent: this run has recorded nothing yet. */
  private recordedStanding: Standing | undefined;

  constructor(public state: LifecycleState) {}

  get situation(): Situation {
    return { state: this.state, plan: this.plan, identity: this.identity, now: Date.now() };
  }

  /** The activities, as urgent as the present turn of the main loop. */
  get outside(): Outside {
    return this.isUrgent ? this.atOnce : this.inTurn;
  }

  /** A message of a person or an operator wants the main loop to look again now. */
  ask(): void {
    this.isAsked = true;
    this.attention = true;
  }

  decide(): Decision {
    return decide(this.situation);
  }

  standing(): Standing {
    return standingOf(this.situation, this.activeStep);
  }

  /** For queries alone: what no command of this workflow may depend on. */
  liveStanding(): LiveStanding {
    return liveStandingOf(this.situation, this.activeStep);
  }

  private get activeStep(): string | undefined {
    return this.hasLooked ? this.inProgress : 'the first look';
  }

  /** @param holdChanges the counter when the look began */
  takeIn(found: Assessment, holdChanges: number): void {
    const assessment = asOfThisHistory(found);
    this.plan = completePlan(assessment.plan);
    this.identity = assessment.identity;
    this.deskUrl = assessment.deskUrl;
    this.atOnce = outsideUnder(assessment.plan.retry, true);
    this.inTurn = outsideUnder(assessment.plan.retry, false);
    this.hasLooked = true;
    const before = runningNotices(this.state);
    const stateBefore = this.state;
    const { missing: missingBefore } = stateBefore;
    this.moved = assessment.addressesChanged === true ? before : [];
    // A look during a change of holds may have read it half done. It is ignored, so that a
    // released hold does not come back.
    const atRest = areHoldsAtRest(holdChanges, this.holdChanges);
    if (assessment.holds !== undefined && this.state.holdsKept && atRest)
      this.state = withKeptHolds(this.state, assessment.holds, Date.now());
    if (assessment.former !== undefined && !this.state.known) {
      this.state = withFormer(this.state, assessment.former, this.plan, Date.now());
      this.isRestarted = true;
    }
    if (assessment.buried !== undefined && !this.state.known)
      this.state = withRemembered(this.state, assessment.buried, Date.now());
    this.state = withAssessment(this.state, { ...assessment, plan: this.plan }, Date.now());
    this.auditLostNotices(before);
    this.auditLostWarning(stateBefore, assessment.warning);
    this.auditPresence(missingBefore);
  }

  /** Audits once that a server on the way sent the warning back, before the suspension or after it. */
  private auditLostWarning(before: LifecycleState, warning: NoticeState | undefined): void {
    const { lostWarning, warnings } = this.state;
    const isLate = warnings.includes(suspendedUnwarned) && !before.warnings.includes(suspendedUnwarned);
    if (warning === undefined || (lostWarning === before.lostWarning && !isLate)) return;
    const { key, outcome } = warning;
    this.audit('notice_bounced', `${key}/${outcome}`, outcome, { detail: { rung: 'warn' } });
  }

  /** Audits that the identity went missing in Kratos, or that it is there again. */
  private auditPresence(before: Missing | undefined): void {
    const { missing } = this.state;
    if (missing !== undefined && before === undefined) {
      this.audit(
        'identity_missing',
        `${missing.since}`,
        missing.doubt === undefined ? 'missing' : 'doubtful',
      );
    }
    if (missing === undefined && before !== undefined && this.identity !== undefined) {
      const { since, looks } = before;
      this.audit('identity_reappeared', `${since}`, 'found', { detail: { missingSince: since, looks } });
    }
  }

  /** Audits notices whose outcome has changed since they were given. */
  private auditLostNotices(before: readonly RunningNotice[]): void {
    for (const { key, outcome, rung, leadMs } of this.state.notices) {
      const given = before.find((notice) => notice.key === key);
      if (given === undefined || given.outcome === outcome) continue;
      const event = outcome === 'bounced' || outcome === 'relay-failed' ? 'notice_bounced' : 'notice_failed';
      this.audit(event, `${given.key}/${outcome}`, outcome, { detail: { rung, leadMs } });
    }
  }

  get inactiveSince(): number {
    return inactiveSince(this.state, this.plan);
  }

  /**
   * Notes an audit entry, which is written with the next {@link record}. The event's name holds the run's
   * first ID and the event's own key, so that a repeated step leaves one row.
   */
  audit(eventType: AuditEventType, key: string, outcome: string, more: Partial<AuditEntry> = {}): void {
    this.state = withAudit(this.state, this.entry(eventType, key, outcome, more));
  }

  /** Notes the start of the lifecycle, before any operator's request that arrived ahead of the first look. */
  auditStart(): void {
    this.state = {
      ...this.state,
      outbox: [
        this.entry('lifecycle_started', 'first', this.isRestarted ? 'restarted' : 'done'),
        ...this.state.outbox,
      ],
    };
  }

  private entry(
    eventType: AuditEventType,
    key: string,
    outcome: string,
    more: Partial<AuditEntry> = {},
  ): AuditEntry {
    const now = Date.now();
    return {
      eventId: `${workflowInfo().firstExecutionRunId}/${eventType}/${key}`,
      eventType,
      target: this.state.identityId,
      actor: 'engine',
      occurredAt: now,
      ...given({ policy: this.state.policy }),
      stage: stageOf(this.state),
      daysInactive: inDays(now - this.inactiveSince),
      outcome,
      ...more,
    };
  }

  /** Shows the standing in the Temporal UI. Only changed search attributes cost anything. */
  show(): void {
    this.shown = showStanding(this.standing(), this.shown, { deskUrl: this.deskUrl });
  }

  /** Shows only the details, which cost nothing: for handlers at the bottom of the ladder. */
  showDetails(): void {
    if (this.shown !== undefined)
      this.shown = showStanding(this.standing(), this.shown, { detailsOnly: true, deskUrl: this.deskUrl });
  }

  /** The fields whose change matters to outside readers. Elapsed times in the sentence are not a change. */
  private static signature({ why: _why, blocked, ...standing }: Standing): string {
    // The start of a block is not a change either: older histories did not record it.
    const { since: _since, ...shown } = blocked ?? {};
    return JSON.stringify({ ...standing, blocked: blocked === undefined ? undefined : shown });
  }

  /** What this lifecycle wrote last, so that the breaker notices a database that has forgotten it. */
  get writtenBefore(): WrittenBefore | undefined {
    const { recordedAt } = this.state;
    if (recordedAt === undefined) return undefined;
    return { revision: recordedAt, operators: this.plan.breaker?.operators ?? 1 };
  }

  /** Whether the projection or the audit log lags behind. */
  needsRecord(standing: Standing): boolean {
    if (this.state.outbox.length > 0) return true;
    const known = this.recordedStanding;
    if (known === undefined) return true;
    const isRecorded = (one: Standing) => LifecycleRun.signature(one) === LifecycleRun.signature(known);
    if (isRecorded(standing)) return false;
    const isOnlyDue =
      isSameDueStep(known.next, standing.next, Date.now()) &&
      isRecorded({ ...standing, ...given({ next: known.next }) });
    return !isOnlyDue || !patched('due-steps-are-not-recorded-again');
  }

  recorded(standing: Standing): void {
    this.recordedStanding = standing;
  }
}

/** A history that buried at the first look without the identity continues that way, and one that suspended unwarned. */
function asOfThisHistory({ absence, buried, former, warning, ...rest }: Assessment): Assessment {
  const isLost = warning?.outcome === 'relay-failed' && patched('lost-warning-comes-anew');
  const heard = isLost ? { ...rest, warning } : rest;
  const known = former !== undefined && patched('former-standing-counts') ? { ...heard, former } : heard;
  if (absence === undefined && buried === undefined) return known;
  if (!patched('absence-takes-time')) return known;
  return { ...known, ...(absence && { absence }), ...(buried && { buried }) };
}

/**
 * Histories from before rungs had kinds of their own hold plans without them. The plan's kinds count there.
 */
function completePlan(plan: Plan): Plan {
  const { keepsAlive } = plan;
  const recorded: Partial<Plan> = plan;
  const rungs = plan.rungs.map((rung) => {
    const own: Partial<PlanRung> = rung;
    return { ...rung, keepsAlive: own.keepsAlive ?? keepsAlive };
  });
  return { ...plan, rungs, signalWindowMs: recorded.signalWindowMs ?? 0 };
}
