/**
 * Looks after a denied token: the identity may have been enabled elsewhere,
 * without a message to the lifecycle.
 */
import type { Dormouse } from '../../client.js';

/** How long one identity triggers no further look, milliseconds: an app may try each second. */
const pauseMs = 600_000;
/** Most identities remembered. The oldest are dropped first, and may then trigger one look more. */
const mostRemembered = 10_000;

export class PromptedLooks {
  private readonly promptedAt = new Map<string, number>();

  /** @param onError called where a lifecycle could not be woken; it looks by itself later */
  constructor(
    private readonly dormouse: Pick<Dormouse, 'lookAgain'>,
    private readonly onError: (error: unknown) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** Returns at once: the token request does not wait for this. Starts no lifecycle. */
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
