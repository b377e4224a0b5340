/** What a roll-out remembers, and how its messages change it. Pure. */
import {
  noRolloutCounts,
  type RolloutInput,
  type RolloutPosition,
  type RolloutProgress,
} from './rollout-messages.js';

/** @param now epoch milliseconds */
export function startOfRollout(policyId: string, version: number, now: number): RolloutProgress {
  const place = { phase: 'urgent' } as const;
  return { schemaVersion: 1, policyId, version, place, counts: noRolloutCounts, startedAt: now };
}

export class RolloutRun {
  progress: RolloutProgress;
  /** Whether PostgreSQL has the state of the progress. */
  isKept: boolean;
  /** Whether signals may be going out. */
  isWaking = false;

  constructor({ progress, policyId, version }: RolloutInput, now: number) {
    this.progress = progress ?? startOfRollout(policyId, version, now);
    this.isKept = progress !== undefined;
  }

  get isDone(): boolean {
    return this.progress.place.phase === 'done';
  }

  /** Whether what is under way for this version should stop. */
  isInterrupted(version: number): boolean {
    return this.progress.paused !== undefined || this.progress.version !== version;
  }

  /** Everybody is judged anew, by the newer version. */
  retarget(version: number, now: number): void {
    this.progress = startOfRollout(this.progress.policyId, version, now);
    this.isKept = false;
  }

  change(change: Partial<RolloutProgress>): void {
    this.progress = { ...this.progress, ...change };
    this.isKept = false;
  }

  resume(): void {
    const { paused: _paused, ...rest } = this.progress;
    this.progress = rest;
    this.isKept = false;
  }

  /** Takes in how far the activity came for a version, unless the roll-out has gone on to another one. */
  advance(version: number, position: RolloutPosition): void {
    if (this.progress.version !== version) return;
    this.progress = { ...this.progress, ...position };
    if (this.isDone) this.isKept = false;
  }
}
