/** Looks that a denied attempt prompts: the person may have been let back in elsewhere, and nobody told the lifecycle. */
import type { Dormouse } from '../../client.js';

/** How long one identity prompts no other look, milliseconds: an app may try each second. */
const pauseMs = 600_000;
/** Identities that are remembered. The oldest go first: they may prompt one look more. */
const mostRemembered = 10_000;

export class PromptedLooks {
  private readonly promptedAt = new Map<string, number>();

  /** @param onError told where a lifecycle could not be woken; it looks by itself later */
  constructor(
    private readonly dormouse: Pick<Dormouse, 'lookAgain'>,
    private readonly onError: (error: unknown) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** Returns at once: whoever waits for a token does not wait for this. Starts no lifecycle. */
  prompt(identityId: string): void {
    const now = this.now();
    const last = this.promptedAt.get(identityId);
    if (last !== undefined && Math.abs(now - last) < pauseMs) return;
    this.promptedAt.delete(identityId);
    this.promptedAt.set(identityId, now);
    const [oldest] = this.promptedAt.keys();
    if (this.promptedAt.size > mostRemembered && oldest !== undefined) this.promptedAt.delete(oldest);
    this.dormouse.lookAgain(identityId).catch(this.onError);
  }
}
