/**
 * Requests for the mail with the link that ends a deactivation. The requester need not be the person. Pure.
 */
import { dayMs } from '../duration.js';
import type { LifecycleState, LinkRequest } from './state.js';

/** The pause after the first mail, milliseconds. Each further mail doubles it. */
export const firstLinkPauseMs = 600_000;
/**
 * The longest pause. By then the link of the last mail has expired or soon will, so a
 * person who lost it waits no longer.
 */
export const longestLinkPauseMs = dayMs;

type Asked = Pick<LifecycleState, 'linkRequest' | 'stageSince'>;

/** @returns the requests of this deactivation so far */
function countOf({ linkRequest, stageSince }: Asked): number {
  if (linkRequest === undefined || linkRequest.at < stageSince) return 0;
  return linkRequest.count ?? 1;
}

/**
 * @returns when the next link may be requested, epoch milliseconds; 0: no request in this deactivation so far
 */
export function nextLinkAt(state: Asked): number {
  const count = countOf(state);
  if (state.linkRequest === undefined || count === 0) return 0;
  // guard: mails with a return link keep growing pauses
  return state.linkRequest.at + Math.min(firstLinkPauseMs * 2 ** (count - 1), longestLinkPauseMs);
}

export function nextLinkRequest(state: Asked, now: number): LinkRequest {
  return { at: now, isPending: true, count: countOf(state) + 1 };
}
