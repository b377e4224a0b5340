/**
 * A model of one identity's world and of the workflow that looks after it: Kratos, PostgreSQL, mail server, person and
 * operators as plain data, time as a number. It drives decide() and the transitions in the order in which
 * src/workflows does, and writes down what happened for the invariants to be checked on. Imports the domain only.
 */
import type { Assessment, FoundIdentity } from '../../src/domain/lifecycle/assessment.js';
import { inactiveSince, postponementsOf } from '../../src/domain/lifecycle/clock.js';
import { type Decision, decide, type Situation } from '../../src/domain/lifecycle/decide.js';
import { withHold, withoutHold } from '../../src/domain/lifecycle/hold-transitions.js';
import type { NoticeOutcome } from '../../src/domain/lifecycle/notice-record.js';
import { withNotice } from '../../src/domain/lifecycle/notice-transitions.js';
import {
  withoutRung,
  withRungBegun,
  withRungCompleted,
} from '../../src/domain/lifecycle/rung-transitions.js';
import { unskippable, withParkedSkipped } from '../../src/domain/lifecycle/skip.js';
import { offTheBottom, stageOf } from '../../src/domain/lifecycle/stage.js';
import { initialState, type LifecycleState } from '../../src/domain/lifecycle/state.js';
import { returnStep } from '../../src/domain/lifecycle/steps.js';
import {
  withAssessment,
  withoutParked,
  withParked,
  withReactivation,
  withReturn,
  withSign,
} from '../../src/domain/lifecycle/transitions.js';
import type { Plan, PlanRung, PolicySubject } from '../../src/domain/plan.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { countedPostponements, type Postponement, postponedUntil } from '../../src/domain/postponement.js';
import type { DestructiveRung, RungName } from '../../src/domain/rungs.js';
import { type LatestSigns, latestOf, mergeSign, type SignKind } from '../../src/domain/sign-of-life.js';
import { anna, planOf } from './fixtures.js';

/** What happens to the identity from outside. Times are relative to the moment that it happens. */
export type Happening =
  /** A sign of life `agoMs` old (negative: in the future), by signal or only in PostgreSQL. */
  | { readonly do: 'seen'; readonly kind: SignKind; readonly agoMs: number; readonly signalled: boolean }
  /** The same, just before or after the moment that the engine sleeps until. */
  | { readonly do: 'seen-at-deadline'; readonly offsetMs: number }
  | { readonly do: 'hold'; readonly forMs: number }
  | { readonly do: 'release' }
  | { readonly do: 'policy'; readonly index: number }
  | { readonly do: 'subject'; readonly subject: Partial<PolicySubject> }
  | { readonly do: 'disable-by-hand' }
  | { readonly do: 'enable-by-hand' }
  | { readonly do: 'reactivate' }
  | { readonly do: 'retry' }
  /** Somebody presses "Keep my account" in one of the mails that they got. */
  | { readonly do: 'keep'; readonly index: number }
  | { readonly do: 'skip' };

export interface Scheduled {
  readonly afterMs: number;
  readonly what: Happening;
}

export type Luck =
  | 'accepted'
  | 'ambiguous'
  | 'rejected'
  | 'no-address'
  /** The step fails for good. */
  | 'fails';

export interface Scenario {
  readonly policies: readonly Policy[];
  /** When the person was seen before the lifecycle was started; epoch milliseconds. */
  readonly lastSeenAt: number;
  readonly enrolledAt: number;
  readonly happenings: readonly Scheduled[];
  /** How each step fares, in turn and again from the start. */
  readonly luck: readonly Luck[];
  /** How long each part of a step takes, in turn and again from the start. */
  readonly delaysMs: readonly number[];
  readonly until: number;
}

export interface Mail {
  readonly rung: RungName;
  readonly leadMs: number;
  readonly outcome: NoticeOutcome;
  readonly at: number;
  /** The date in it; absent: the notice was skipped. */
  readonly announcedAt?: number;
}

/** One line of the history. */
export type Entry =
  | {
      readonly type: 'decided';
      readonly decision: Decision;
      readonly situation: Situation;
      readonly knownSince: number;
    }
  | {
      readonly type: 'effect';
      readonly rung: PlanRung;
      readonly at: number;
      readonly plan: Plan;
      /** The latest sign of life that counts and that could be known, computed apart from the engine's memory. */
      readonly knownSince: number;
      readonly mails: readonly Mail[];
      /** When the last hold ended that was known when the rung was decided. */
      readonly heldUntil: number;
      readonly handDisabled: boolean;
      /** What the person was promised at the last look, and the policy in force grants. */
      readonly promisedUntil: number;
      /** When the last warning was given; `undefined` if an operator skipped it. */
      readonly warnedAt: number | undefined;
    }
  | { readonly type: 'postponed'; readonly postponement: Postponement }
  | {
      readonly type: 'completed';
      readonly rung: RungName;
      readonly at: number;
      readonly before: LifecycleState;
    }
  | {
      readonly type: 'returned';
      readonly decision: Extract<Decision, { kind: 'return' }>;
      readonly at: number;
    }
  | { readonly type: 'ended'; readonly how: 'gone' | 'finished'; readonly at: number };

/** Steps at one instant before a history counts as a busy loop. */
const busyLimit = 60;

export class BusyLoopError extends Error {
  override readonly name = 'BusyLoopError';
}

export class Simulation {
  readonly history: Entry[] = [];
  readonly mails: Mail[] = [];
  now: number;
  state: LifecycleState;

  private plan: Plan;
  private policy: Policy;
  private found: FoundIdentity | undefined;
  private byHand = false;
  private recorded: LatestSigns;
  private signalled: LatestSigns = {};
  private enabledAt: number;
  private decidedAt = 0;
  private subject: Partial<PolicySubject> = {};
  private attention = false;
  private heldUntil = 0;
  /** The state at the last decision: a deed under way can't be called back. */
  private heldUntilAsDecided = 0;
  private decidedRounds = 0;
  private warnedAt: number | undefined = 0;
  private turn = 0;
  private sleepsUntil: number | undefined;
  private postponements: Postponement[] = [];
  /** The links that mails carried. */
  private readonly links: (Pick<Postponement, 'rung' | 'inactiveSince' | 'round'> & {
    readonly announcedAt: number;
    readonly byMs: number;
  })[] = [];
  private readonly upcoming: { at: number; what: Happening }[];

  constructor(private readonly scenario: Scenario) {
    const { enrolledAt, lastSeenAt, happenings } = scenario;
    this.now = enrolledAt;
    this.policy = this.policyAt(0);
    this.plan = planOf(this.policy);
    this.recorded = { human: lastSeenAt };
    this.enabledAt = lastSeenAt;
    this.found = {
      state: 'active',
      stateChangedAt: lastSeenAt,
      createdAt: lastSeenAt,
      disabledByEngine: false,
      publishedStage: 'active',
    };
    this.state = initialState(anna, { id: this.policy.id }, enrolledAt);
    let at = enrolledAt;
    this.upcoming = happenings.map(({ afterMs, what }) => {
      at += afterMs;
      return { at, what };
    });
  }

  /** Runs the lifecycle to its end, or to the end of the scenario. */
  run(): this {
    let sameInstant = 0;
    while (this.now < this.scenario.until) {
      const before = this.now;
      if (!this.turnOnce()) return this;
      sameInstant = this.now === before ? sameInstant + 1 : 0;
      if (sameInstant > busyLimit) throw new BusyLoopError(`${busyLimit} steps at ${this.now}`);
    }
    return this;
  }

  get stage() {
    return stageOf(this.state);
  }

  get situation(): Situation {
    return { state: this.state, plan: this.plan, identity: this.found, now: this.now };
  }

  /** One turn of the main loop. @returns false at the end */
  private turnOnce(): boolean {
    this.attention = false;
    this.look();
    // Continue-as-new at every turn: nothing may live outside the plain state.
    this.state = JSON.parse(JSON.stringify(this.state)) as LifecycleState;
    const decision = decide(this.situation);
    this.heldUntilAsDecided = Math.min(this.heldUntil, this.now);
    this.history.push({ type: 'decided', decision, situation: this.situation, knownSince: this.knownSince });
    switch (decision.kind) {
      case 'gone':
      case 'bury':
      case 'finished':
        this.history.push({
          type: 'ended',
          how: decision.kind === 'finished' ? 'finished' : 'gone',
          at: this.now,
        });
        return false;
      case 'wait':
        this.sleep(decision.until ?? Number.POSITIVE_INFINITY);
        return true;
      case 'notice':
        this.giveNotice(decision);
        return true;
      case 'rung':
        this.climb(decision.rung);
        return true;
      case 'return':
        this.comeBack(decision);
        return true;
    }
  }

  private look(): void {
    this.plan = planOf(this.policy, this.subject);
    const assessment: Assessment = {
      ...(this.found === undefined
        ? { absence: { control: 'witnessed', wasKnown: true } }
        : { identity: this.found }),
      activity: this.recorded,
      plan: this.plan,
      ...(this.postponements.length === 0 ? {} : { postponements: this.postponements }),
    };
    this.state = withAssessment(this.state, assessment, this.now);
  }

  private giveNotice({ rung, leadMs, rungAt }: Extract<Decision, { kind: 'notice' }>): void {
    const since = inactiveSince(this.state, this.plan);
    const round = postponementsOf(this.state, rung).length;
    this.pass();
    const luck = this.luck();
    if (luck === 'fails') {
      this.endBadly(`notice:${rung.rung}`);
      return;
    }
    const mail = { rung: rung.rung, leadMs, outcome: luck, at: this.now, announcedAt: rungAt };
    this.mails.push(mail);
    this.state = withNotice(this.state, { ...mail, inactiveSince: since, round });
    if (luck !== 'accepted' || rung.keep === undefined || round >= rung.keep.times) return;
    const action = rung.rung as DestructiveRung;
    const byMs = rung.keep.postponesMs;
    this.links.push({ rung: action, inactiveSince: since, round, announcedAt: rungAt, byMs });
  }

  private climb(rung: PlanRung): void {
    const since = inactiveSince(this.state, this.plan);
    this.decidedRounds = this.counted(rung, since).length;
    this.state = withRungBegun(this.state, rung, since, this.now);
    this.pass();
    if (this.luck() === 'fails') {
      this.endBadly(rung.rung);
      return;
    }
    if ((rung.rung === 'deactivate' || rung.rung === 'delete') && !this.lastLook(rung, since)) return;
    this.takeEffect(rung);
    this.pass();
    if (this.luck() === 'fails') {
      this.endBadly(rung.rung);
      return;
    }
    this.history.push({ type: 'completed', rung: rung.rung, at: this.now, before: this.state });
    this.state = withRungCompleted(this.state, rung.rung, this.now);
    if (rung.rung === 'warn') this.warnedAt = this.now;
  }

  /** The last look of disableIdentity and deleteIdentity. @returns whether the deed continues */
  private lastLook(rung: PlanRung, since: number): boolean {
    const { found } = this;
    if (found === undefined) return true;
    if (found.state === 'inactive' && !found.disabledByEngine) {
      this.state = withoutRung(this.state, rung.rung);
      return false;
    }
    if (found.state === 'inactive' && rung.rung === 'deactivate') return true;
    const enabledSince = found.state === 'active' && found.stateChangedAt > since;
    const isPostponed = this.counted(rung, since).length > this.decidedRounds;
    const isSeen = (latestOf(this.recorded, this.plan.keepsAlive) ?? 0) > since;
    if (!isSeen && !enabledSince && !isPostponed) return true;
    this.state = withoutRung(this.state, rung.rung);
    return false;
  }

  private counted(rung: PlanRung, since: number): readonly Postponement[] {
    return countedPostponements(this.postponements, rung, since);
  }

  private takeEffect(rung: PlanRung): void {
    const { found } = this;
    const already = rung.rung === 'deactivate' && found?.state === 'inactive';
    if (found !== undefined && !already) {
      this.history.push({
        type: 'effect',
        rung,
        at: this.now,
        plan: this.plan,
        knownSince: this.decidedAt,
        mails: [...this.mails],
        heldUntil: this.heldUntilAsDecided,
        promisedUntil: Math.max(
          0,
          ...this.counted(rung, inactiveSince(this.state, rung)).map(({ untilAt }) => untilAt),
        ),
        warnedAt: this.warnedAt,
        handDisabled: found.state === 'inactive' && !found.disabledByEngine,
      });
    }
    if (rung.rung === 'delete') this.found = undefined;
    if (rung.rung === 'deactivate' && found?.state === 'active') {
      this.found = { ...found, state: 'inactive', stateChangedAt: this.now, disabledByEngine: true };
    }
  }

  private comeBack(decision: Extract<Decision, { kind: 'return' }>): void {
    this.pass();
    if (this.luck() === 'fails') {
      this.park(returnStep);
      return;
    }
    if (decision.undo.includes('deactivate')) this.enable();
    this.state = withReturn(this.state, decision, this.now);
    this.history.push({ type: 'returned', decision, at: this.now });
  }

  /** As enableIdentity: only what the engine disabled. */
  private enable(): void {
    const { found } = this;
    if (found?.state !== 'inactive' || !found.disabledByEngine) return;
    this.found = { ...found, state: 'active', stateChangedAt: this.now, disabledByEngine: false };
    this.enabledAt = this.now;
  }

  /** Interrupted if an event needs attention, else parked. */
  private endBadly(step: string): void {
    if (!this.attention) this.park(step);
  }

  private park(step: string): void {
    this.state = withParked(this.state, { step, errorType: 'Unexpected', wayOut: 'Retry.', since: this.now });
  }

  /** The engine's knowledge: received signals, and the data of PostgreSQL and Kratos at a look. */
  private get knownSince(): number {
    const kinds = this.policy.keepsAlive;
    this.decidedAt = Math.max(
      this.enabledAt,
      latestOf(this.recorded, kinds) ?? 0,
      latestOf(this.signalled, kinds) ?? 0,
    );
    return this.decidedAt;
  }

  private luck(): Luck {
    this.turn += 1;
    return this.scenario.luck[this.turn % this.scenario.luck.length] ?? 'accepted';
  }

  /** Time goes by within a step, and things happen meanwhile. */
  private pass(): void {
    this.turn += 1;
    const delay = this.scenario.delaysMs[this.turn % this.scenario.delaysMs.length] ?? 0;
    this.happenUpTo(this.now + delay, true);
    this.now += delay;
  }

  /** Sleeps until then, or until an event needs attention. */
  private sleep(until: number): void {
    this.sleepsUntil = until;
    const wake = Math.min(until, this.scenario.until);
    const end = this.now;
    this.happenUpTo(wake, false);
    if (!this.attention) this.now = Math.max(end, wake);
    this.sleepsUntil = undefined;
  }

  private happenUpTo(end: number, withinStep: boolean): void {
    const start = this.now;
    for (;;) {
      const next = this.upcoming[0];
      if (next === undefined || next.at > end) break;
      this.upcoming.shift();
      this.now = Math.max(start, next.at);
      this.happen(next.what, withinStep);
      if (this.attention && !withinStep) return;
    }
    if (withinStep) this.now = start;
  }

  private happen(what: Happening, withinStep: boolean): void {
    switch (what.do) {
      case 'seen':
        this.seen(what.kind, this.now - what.agoMs, what.signalled, withinStep);
        return;
      case 'seen-at-deadline': {
        const at = (this.sleepsUntil ?? this.now) + what.offsetMs;
        if (Number.isFinite(at) && at > this.now) {
          const kind = 'human';
          this.upcoming.push({ at, what: { do: 'seen', kind, agoMs: 0, signalled: false } });
          this.upcoming.sort((a, b) => a.at - b.at);
        }
        return;
      }
      case 'hold':
        this.state = withHold(this.state, {
          actor: 'operator',
          reason: 'leave',
          kind: 'leave',
          since: this.now,
          until: this.now + what.forMs,
        });
        this.heldUntil = Math.max(this.heldUntil, this.now + what.forMs);
        this.attention = true;
        return;
      case 'release':
        if (this.state.holds === undefined) return;
        for (const { id } of this.state.holds) this.state = withoutHold(this.state, id, this.now);
        this.heldUntil = Math.min(this.heldUntil, this.now);
        this.attention = true;
        return;
      case 'policy':
        this.policy = this.policyAt(what.index);
        this.attention = true;
        return;
      case 'subject':
        this.subject = what.subject;
        return;
      case 'disable-by-hand':
        if (this.found?.state !== 'active') return;
        this.found = { ...this.found, state: 'inactive', stateChangedAt: this.now, disabledByEngine: false };
        this.byHand = true;
        return;
      case 'enable-by-hand':
        if (this.found?.state !== 'inactive') return;
        this.found = { ...this.found, state: 'active', stateChangedAt: this.now, disabledByEngine: false };
        this.enabledAt = this.now;
        this.byHand = false;
        return;
      case 'reactivate':
        if (this.state.rungs.deactivate?.completedAt === undefined || this.byHand) return;
        if (this.state.rungs.delete?.completedAt !== undefined) return;
        this.state = withReactivation(withoutParked(this.state), {
          actor: 'operator',
          reason: 'asked for',
          at: this.now,
        });
        this.enabledAt = this.now;
        this.attention = true;
        return;
      case 'keep':
        this.keep(what.index);
        return;
      case 'retry':
        if (this.state.parked === undefined) return;
        this.state = withoutParked(this.state);
        this.attention = true;
        return;
      case 'skip':
        this.skip();
        return;
    }
  }

  /** As the gateway confirms: each round of an absence once. */
  private keep(index: number): void {
    const link = this.links.at(-1 - (index % Math.max(1, this.links.length)));
    if (link === undefined) return;
    const { announcedAt, byMs, ...key } = link;
    const isTaken = this.postponements.some(
      (one) => one.rung === key.rung && one.inactiveSince === key.inactiveSince && one.round === key.round,
    );
    if (isTaken) return;
    const untilAt = postponedUntil(announcedAt, byMs, this.now);
    const postponement = { ...key, untilAt, confirmedAt: this.now };
    this.postponements = [...this.postponements, postponement];
    this.history.push({ type: 'postponed', postponement });
  }

  private skip(): void {
    const { parked } = this.state;
    if (parked === undefined || unskippable(parked, this.found) !== undefined) return;
    const { notices } = this.state;
    this.state = withParkedSkipped(this.state, this.plan, this.now);
    if (parked.step === 'warn') this.warnedAt = undefined;
    const notice = this.state.notices.at(-1);
    // A skipped notice counts like one without an address.
    if (notice !== undefined && notices !== this.state.notices) {
      this.mails.push({ ...notice, outcome: 'no-address', at: this.now });
    }
    this.attention = true;
  }

  private seen(kind: SignKind, at: number, signalled: boolean, withinStep: boolean): void {
    if (this.found === undefined) return;
    if (!signalled) {
      this.recorded = mergeSign(this.recorded, { kind, at }, this.now);
      return;
    }
    this.signalled = mergeSign(this.signalled, { kind, at }, this.now);
    const before = inactiveSince(this.state, this.plan);
    this.state = withSign(this.state, { kind, at }, this.now);
    const moved = inactiveSince(this.state, this.plan) !== before;
    if (moved && (offTheBottom(this.state) || withinStep)) this.attention = true;
  }

  private policyAt(index: number): Policy {
    const { policies } = this.scenario;
    const policy = policies[index % policies.length];
    if (policy === undefined) throw new Error('a scenario needs a policy');
    return policy;
  }
}
