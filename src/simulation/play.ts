/** Plays one person through time: the walk decides what the engine does, the person's habit when they show up. Pure. */
import { dayMs } from '../domain/duration.js';
import { offTheBottom } from '../domain/lifecycle/stage.js';
import type { Plan } from '../domain/plan.js';
import type { SignKind } from '../domain/sign-of-life.js';
import type { CourseEnd, Deed } from '../forecast/deed.js';
import { Walk } from '../forecast/walk.js';
import type { Player, Response, Teller } from './player.js';

/** Who comes back because of a mail comes within this time. Milliseconds. */
const responseMs = 7 * dayMs;
const never = Number.POSITIVE_INFINITY;

export interface Stretch {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly until: number;
}

/** @returns what comes after the stretch */
export function play(player: Player, stretch: Stretch, response: Response, teller: Teller): CourseEnd {
  return new Play(player, stretch, response, teller).run();
}

class Play {
  private readonly walk: Walk;
  private readonly quietMs: number;
  private now: number;
  private lastSeenAt: number;
  private visitAt: number;
  private leaves = 0;
  /** Nothing that the person does counts. */
  private isOut: boolean;

  constructor(
    private readonly player: Player,
    private readonly stretch: Stretch,
    private readonly response: Response,
    private readonly teller: Teller,
  ) {
    const { life, lastSeenAt, kind } = player;
    this.now = stretch.from;
    this.lastSeenAt = lastSeenAt;
    this.walk = new Walk(life, stretch.from, (deed) => teller.deed(deed));
    this.quietMs = quietTime(life.plan, kind);
    // Signs of life of somebody exempt change nothing. Who was disabled by hand can't sign in.
    this.isOut = life.plan.exempt !== undefined || isDisabledByHand(player);
    this.visitAt = this.isOut ? never : player.habit(stretch.from, lastSeenAt);
  }

  run(): CourseEnd {
    const { until } = this.stretch;
    for (;;) {
      this.passQuietVisits();
      const leave = this.player.leaves[this.leaves];
      const leaveAt = leave?.from ?? never;
      const target = Math.min(this.visitAt, leaveAt, until);
      let isCalledBack = false;
      const end = this.walk.goOn(target, (deed) => {
        isCalledBack = this.reactsTo(deed);
        return isCalledBack;
      });
      if (end === 'finished') return this.afterDeletion(end);
      if (isCalledBack) continue;
      this.now = target;
      // Somebody who shows up in the very last moment was there.
      if (target === this.visitAt && target <= until) this.visit();
      else if (leave !== undefined && target === leaveAt && target < until) this.leave(leave.until);
      else return end;
    }
  }

  /** Visits that nothing can be due before, at the bottom of the ladder: most of all. */
  private passQuietVisits(): void {
    const { walk, player, teller } = this;
    if (offTheBottom(walk.state) || walk.state.holds !== undefined || walk.isDeactivated) return;
    const until = Math.min(this.stretch.until, player.leaves[this.leaves]?.from ?? never);
    let seenAt: number | undefined;
    while (this.visitAt < until && this.visitAt - this.lastSeenAt < this.quietMs) {
      seenAt = this.visitAt;
      teller.happening({ at: seenAt, what: 'seen' });
      this.lastSeenAt = seenAt;
      this.visitAt = player.habit(seenAt, seenAt);
    }
    if (seenAt === undefined) return;
    this.now = seenAt;
    walk.seenMeanwhile(player.kind, seenAt);
  }

  private visit(): void {
    const { walk, player, teller } = this;
    const at = this.now;
    if (walk.isDeactivated) {
      if (player.life.plan.selfReactivation === undefined) {
        teller.happening({ at, what: 'turned-away' });
        this.visitAt = never;
        this.isOut = true;
        return;
      }
      teller.happening({ at, what: 'link' });
      walk.reactivate();
    } else {
      teller.happening({ at, what: 'seen' });
    }
    walk.seen(player.kind);
    this.lastSeenAt = at;
    this.visitAt = player.habit(at, at);
  }

  private leave(until: number): void {
    const { walk, teller, player } = this;
    const since = this.now;
    this.leaves += 1;
    teller.happening({ at: since, what: 'leave', until });
    walk.hold({ kind: 'leave', reason: 'leave', actor: 'simulation', since, until });
    if (this.visitAt < until) this.visitAt = until + player.random() * responseMs;
  }

  /** @returns whether a mail makes the person come earlier than they would have */
  private reactsTo(deed: Deed): boolean {
    const isCall = deed.kind === 'notice' || (deed.kind === 'rung' && deed.rung === 'warn');
    if (!isCall || deed.mails === 0 || this.response.share === 0 || this.isOut) return false;
    const { random } = this.player;
    if (random() >= this.response.share) return false;
    const at = deed.at + random() * responseMs;
    if (at >= this.visitAt) return false;
    this.now = deed.at;
    this.visitAt = at;
    return true;
  }

  private afterDeletion(end: CourseEnd): CourseEnd {
    if (this.visitAt < this.stretch.until) this.teller.happening({ at: this.visitAt, what: 'too-late' });
    return end;
  }
}

function isDisabledByHand({ life: { identity } }: Player): boolean {
  return identity.state === 'inactive' && !identity.disabledByEngine;
}

/** How long after a sign of life nothing can be due. Milliseconds; 0 where some rung does not count such signs. */
function quietTime({ rungs }: Plan, kind: SignKind): number {
  if (rungs.some(({ keepsAlive }) => !keepsAlive.includes(kind))) return 0;
  const firsts = rungs.map(({ afterMs, noticeLeadsMs, noticeFloorMs }) =>
    Math.max(0, afterMs - Math.max(noticeLeadsMs[0] ?? 0, noticeFloorMs)),
  );
  return Math.min(never, ...firsts);
}
