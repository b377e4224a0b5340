/**
 * Walks one lifecycle through time without a workflow: the decisions are those of `domain/lifecycle`, a deed takes no
 * time and succeeds, and a mail fares as {@link MailFate} says. The breaker is not asked. Pure.
 */
import type { FoundIdentity } from '../domain/lifecycle/assessment.js';
import {
  announcedByWarning,
  failuresWith,
  inactiveSince,
  postponementsOf,
} from '../domain/lifecycle/clock.js';
import { type Decision, decide } from '../domain/lifecycle/decide.js';
import { withHold } from '../domain/lifecycle/hold-transitions.js';
import type { Hold } from '../domain/lifecycle/holds.js';
import { withNotice } from '../domain/lifecycle/notice-transitions.js';
import { withRungBegun, withRungCompleted } from '../domain/lifecycle/rung-transitions.js';
import { offTheBottom } from '../domain/lifecycle/stage.js';
import type { LifecycleState } from '../domain/lifecycle/state.js';
import { withAssessment, withReactivation, withReturn, withSign } from '../domain/lifecycle/transitions.js';
import type { Plan, PlanRung } from '../domain/plan.js';
import type { SignKind } from '../domain/sign-of-life.js';
import type { CourseEnd, Deed, MailFate } from './deed.js';

/** One lifecycle at one moment. */
export interface Life {
  readonly state: LifecycleState;
  readonly plan: Plan;
  readonly identity: FoundIdentity;
  readonly mailFate: MailFate;
}

/** More turns than that at one instant are no ladder, but a rule that contradicts itself. */
const mostTurnsAtOnce = 60;

type Wait = Extract<Decision, { kind: 'wait' }>;

export class Walk {
  state: LifecycleState;
  private identity: FoundIdentity;
  private readonly plan: Plan;
  private readonly mailFate: MailFate;

  /**
   * @param now epoch milliseconds
   * @param onDeed is told each deed when it comes
   */
  constructor(
    life: Life,
    private now: number,
    private readonly onDeed: (deed: Deed) => void,
  ) {
    this.state = life.state;
    this.identity = life.identity;
    this.plan = life.plan;
    this.mailFate = life.mailFate;
    this.look();
  }

  get isDeleted(): boolean {
    return this.state.rungs.delete?.completedAt !== undefined;
  }

  get isDeactivated(): boolean {
    return this.identity.state === 'inactive';
  }

  /** Lets time run until then, this instant included. @returns what comes after */
  goTo(until: number): CourseEnd {
    return this.goOn(until, () => false);
  }

  /** The same, but no further than to the first deed that `stops` says. The time is then that of the deed. */
  goOn(until: number, stops: (deed: Deed) => boolean): CourseEnd {
    let turns = 0;
    for (;;) {
      const decision = this.decide();
      const end = this.endOf(decision);
      if (end !== undefined) return this.rest(until, end);
      const before = this.now;
      if (decision.kind === 'wait') {
        const wakesAt = this.wakesAt(decision);
        if (wakesAt === undefined || wakesAt > until) return this.rest(until, 'later');
        this.now = Math.max(this.now, wakesAt);
        if (this.state.holds !== undefined) this.look();
      } else {
        const deed = this.act(decision);
        if (deed !== undefined && stops(deed)) return 'later';
      }
      turns = this.now === before ? turns + 1 : 0;
      if (turns > mostTurnsAtOnce) throw new Error(`${mostTurnsAtOnce} turns of a lifecycle at one instant`);
    }
  }

  /** The person shows up. The time must be that of the last {@link goTo}. */
  seen(kind: SignKind): void {
    this.state = withSign(this.state, { at: this.now, kind }, this.now);
    if (offTheBottom(this.state)) this.goTo(this.now);
  }

  /** The person shows up once more before anything is due and before any hold ends, so that nothing is decided. */
  seenMeanwhile(kind: SignKind, at: number): void {
    this.now = at;
    this.state = withSign(this.state, { at, kind }, at);
  }

  /** The person follows the link that ends a deactivation. The time must be that of the last {@link goTo}. */
  reactivate(): void {
    const { now } = this;
    const reactivation = { actor: 'self-service', reason: 'link', at: now, selfService: true } as const;
    this.state = withReactivation(this.state, reactivation);
    this.goTo(now);
  }

  /** An operator sets a hold. */
  hold(hold: Omit<Hold, 'id'>): void {
    this.state = withHold(this.state, hold);
  }

  private decide(): Decision {
    const { state, plan, identity, now } = this;
    return decide({ state, plan, identity, now });
  }

  /** As the workflow takes a look in: holds that have ended end here. */
  private look(): void {
    const { plan, identity, now } = this;
    this.state = withAssessment(this.state, { activity: {}, plan, identity }, now);
  }

  private rest(until: number, end: CourseEnd): CourseEnd {
    this.now = Math.max(this.now, until);
    return end;
  }

  /** A look that finds nothing new changes nothing, so the walk goes to the next step itself. */
  private wakesAt({ next, until }: Wait): number | undefined {
    return next?.at ?? until;
  }

  private endOf(decision: Decision): CourseEnd | undefined {
    if (decision.kind === 'finished') return 'finished';
    if (decision.kind === 'gone' || decision.kind === 'bury') return 'missing';
    if (decision.kind !== 'wait') return undefined;
    const { blocked, next } = decision;
    if (blocked === undefined) return next === undefined ? 'end-of-ladder' : undefined;
    // A hold ends by itself, and a notice is tried again. Everything else ends by somebody's hand.
    return blocked.by === 'hold' || blocked.by === 'no-notice' ? undefined : blocked.by;
  }

  private act(decision: Exclude<Decision, Wait>): Deed | undefined {
    const deed = this.deedOf(decision);
    if (deed !== undefined) this.onDeed(deed);
    return deed;
  }

  private deedOf(decision: Exclude<Decision, Wait>): Deed | undefined {
    if (decision.kind === 'notice') return this.giveNotice(decision);
    if (decision.kind === 'rung') return this.climb(decision.rung);
    return decision.kind === 'return' ? this.comeBack(decision) : undefined;
  }

  private giveNotice({ rung, leadMs, rungAt }: Extract<Decision, { kind: 'notice' }>): Deed {
    const { state, now, mailFate: outcome } = this;
    const since = inactiveSince(state, rung);
    const before = state.notices.findLast((one) => one.rung === rung.rung && one.leadMs === leadMs);
    const failures = before === undefined ? 0 : failuresWith(before, { since, rung });
    const round = postponementsOf(state, rung).length;
    this.state = withNotice(state, {
      rung: rung.rung,
      leadMs,
      outcome,
      at: now,
      inactiveSince: since,
      announcedAt: rungAt,
      ...(round === 0 ? {} : { round }),
      ...(failures === 0 ? {} : { failures }),
    });
    return { kind: 'notice', at: now, rung: rung.rung, leadMs, rungAt, mails: this.mail };
  }

  private climb(rung: PlanRung): Deed {
    const { now, plan, identity } = this;
    const begun = withRungBegun(this.state, rung, inactiveSince(this.state, rung), now);
    const upcoming = rung.rung === 'warn' ? announcedByWarning(begun, plan, now) : undefined;
    const announced = upcoming?.action === 'suspend' ? { announcedAt: upcoming.at } : {};
    this.state = withRungCompleted(begun, rung.rung, now, announced);
    if (rung.rung === 'deactivate') {
      this.identity = { ...identity, state: 'inactive', stateChangedAt: now, disabledByEngine: true };
    }
    return { kind: 'rung', at: now, rung: rung.rung, mails: tells(rung) ? this.mail : 0 };
  }

  private comeBack(back: Extract<Decision, { kind: 'return' }>): Deed {
    const { now, identity } = this;
    const isEnabled = back.undo.includes('deactivate') && identity.disabledByEngine;
    if (isEnabled) {
      this.identity = { ...identity, state: 'active', stateChangedAt: now, disabledByEngine: false };
    }
    this.state = withReturn(this.state, back, now);
    this.look();
    const mails = isEnabled ? this.mail : 0;
    return { kind: 'return', at: now, cause: back.cause, undo: back.undo, mails };
  }

  private get mail(): 0 | 1 {
    return this.mailFate === 'accepted' ? 1 : 0;
  }
}

/** Whether the rung is a mail, or is followed by one. */
function tells({ rung, mailAfter }: PlanRung): boolean {
  if (rung === 'warn' || rung === 'winback') return true;
  return mailAfter && (rung === 'revoke' || rung === 'deactivate');
}
