import { describe, expect, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { nextLinkAt, nextLinkRequest } from '../../src/domain/lifecycle/link-request.js';
import type { LinkRequest } from '../../src/domain/lifecycle/state.js';

const stageSince = Date.UTC(2026, 0, 2);
const minutes = (count: number) => count * 60_000;

describe('the pause between mails with a return link', () => {
  it('doubles with each mail, up to a day', () => {
    let linkRequest: LinkRequest | undefined;
    let now = stageSince + dayMs;
    const pauses = Array.from({ length: 12 }, () => {
      linkRequest = nextLinkRequest({ stageSince, ...(linkRequest && { linkRequest }) }, now);
      const at = nextLinkAt({ stageSince, linkRequest });
      const pause = at - now;
      now = at;
      return pause;
    });
    const doubled = [10, 20, 40, 80, 160, 320, 640, 1280].map(minutes);
    expect(pauses).toEqual([...doubled, dayMs, dayMs, dayMs, dayMs]);
  });

  it('begins anew with each deactivation', () => {
    const linkRequest = { at: stageSince + dayMs, isPending: false, count: 9 };
    const later = linkRequest.at + 1;
    expect(nextLinkAt({ stageSince: later, linkRequest })).toBe(0);
    expect(nextLinkRequest({ stageSince: later, linkRequest }, later)).toEqual({
      at: later,
      isPending: true,
      count: 1,
    });
  });

  it('takes a request that an older build noted as the first', () => {
    const linkRequest = { at: stageSince + dayMs, isPending: false };
    expect(nextLinkAt({ stageSince, linkRequest })).toBe(linkRequest.at + minutes(10));
    expect(nextLinkRequest({ stageSince, linkRequest }, linkRequest.at + dayMs).count).toBe(2);
  });

  it('there is none before the first', () => {
    expect(nextLinkAt({ stageSince })).toBe(0);
  });
});
