/** How the memory of notices changes. Pure. */
import type { NoticeState } from './assessment.js';
import type { NoticeRecord } from './notice-record.js';
import type { LifecycleState } from './state.js';

export function withNotice(state: LifecycleState, notice: NoticeRecord): LifecycleState {
  const others = state.notices.filter(({ rung, leadMs }) => rung !== notice.rung || leadMs !== notice.leadMs);
  return { ...state, notices: [...others, notice] };
}

export type RunningNotice = NoticeRecord & { readonly key: string };

/**
 * The running notices: given, and their rung not yet done. Bounces and changed
 * addresses are looked up for these.
 */
export function runningNotices(state: LifecycleState): RunningNotice[] {
  return state.notices.flatMap((notice) => {
    const { key, rung, outcome } = notice;
    const isGiven = outcome === 'accepted' || outcome === 'ambiguous';
    const runs = isGiven && notice.void === undefined && state.rungs[rung]?.completedAt === undefined;
    return key !== undefined && runs ? [{ ...notice, key }] : [];
  });
}

/**
 * Applies the present states of notices. A notice that reached nobody makes the later ones of its rung void:
 * all of them are given again, so their date will not hold.
 */
export function withNoticeStates(
  state: LifecycleState,
  found: readonly NoticeState[],
  now: number,
): LifecycleState {
  const running = new Set(runningNotices(state).map(({ key }) => key));
  const outcomes = new Map(found.map(({ key, outcome }) => [key, outcome]));
  const changed = state.notices.map((notice): NoticeRecord => {
    const { key } = notice;
    const outcome = key === undefined || !running.has(key) ? undefined : outcomes.get(key);
    // The known outcome of a notice only ever gets worse.
    if (outcome === undefined || outcome === 'accepted' || outcome === notice.outcome) return notice;
    return { ...notice, outcome, failedAt: now };
  });
  if (changed.every((notice, index) => notice === state.notices[index])) return state;
  const isLost = ({ outcome, failedAt }: NoticeRecord) => failedAt === now && outcome !== 'ambiguous';
  const notices = changed.map((notice): NoticeRecord => {
    const lost = changed.some(
      (other) => isLost(other) && other.rung === notice.rung && other.leadMs > notice.leadMs,
    );
    // guard: a bounce voids the later notices of its rung
    return lost ? { ...notice, void: true } : notice;
  });
  return { ...state, notices };
}

/** The rung's notice went to new addresses. The person behind them gets time, too. */
export function withNoticeFollowed(state: LifecycleState, key: string, now: number): LifecycleState {
  const notices = state.notices.map((notice) =>
    notice.key === key ? { ...notice, followedAt: now } : notice,
  );
  return { ...state, notices };
}

export function voided(notices: readonly NoticeRecord[]): NoticeRecord[] {
  return notices.map((notice) => ({ ...notice, void: true }));
}
