import { describe, expect, it } from 'vitest';
import { isEverybodyRefused, type RecentMail } from '../../src/mail/alike.js';

const refusal = { replyCode: 550, enhancedCode: undefined, identityId: 'now' };
const refused = (count: number, more: Partial<RecentMail> = {}): RecentMail[] =>
  Array.from({ length: count }, (_, index) => ({
    replyCode: 550,
    enhancedCode: undefined,
    identityId: `p${index}`,
    isAccepted: false,
    ...more,
  }));
const accepted = refused(1, { isAccepted: true, replyCode: 250, identityId: 'taken' });

describe('a refusal is the server’s trouble', () => {
  it('if five people in a row are refused by the same codes', () => {
    expect(isEverybodyRefused(refusal, refused(4))).toBe(true);
    expect(isEverybodyRefused(refusal, refused(3))).toBe(false);
    expect(isEverybodyRefused(refusal, [])).toBe(false);
  });

  it('not if another person’s mail was accepted in between', () => {
    expect(isEverybodyRefused(refusal, [...refused(3), ...accepted, ...refused(9)])).toBe(false);
    expect(isEverybodyRefused(refusal, [...refused(4), ...accepted])).toBe(true);
  });

  it('not if one person is refused again and again, or others by other codes', () => {
    expect(isEverybodyRefused(refusal, refused(100, { identityId: 'same' }))).toBe(false);
    expect(isEverybodyRefused(refusal, refused(100, { replyCode: 552 }))).toBe(false);
    expect(isEverybodyRefused(refusal, refused(100, { enhancedCode: '5.6.1' }))).toBe(false);
  });

  it('only after fifty if the codes blame the address', () => {
    for (const enhancedCode of ['5.1.1', '5.2.1']) {
      const dead = { ...refusal, enhancedCode };
      expect(isEverybodyRefused(dead, refused(48, { enhancedCode }))).toBe(false);
      expect(isEverybodyRefused(dead, refused(49, { enhancedCode }))).toBe(true);
    }
  });

  it('not where another reply code or a bounce has the same enhanced code', () => {
    const enhancedCode = '5.0.0';
    const refusals = refused(9, { enhancedCode });
    expect(isEverybodyRefused({ replyCode: undefined, enhancedCode, identityId: 'now' }, refusals)).toBe(
      false,
    );
  });
});

describe('a bounce is the server’s trouble', () => {
  const bounced = (count: number, more: Partial<RecentMail> = {}) =>
    refused(count, { replyCode: undefined, ...more });

  it.each([
    ['5.0.0', 4],
    [undefined, 4],
    ['5.1.1', 49],
  ])('by %s if %i other people’s mails around it came back alike', (enhancedCode, others) => {
    const now = { enhancedCode, identityId: 'now' };
    const alike = bounced(others, { enhancedCode });
    for (const before of [0, 1, others]) {
      const around = [alike.slice(0, before), alike.slice(before)] as const;
      expect(isEverybodyRefused(now, ...around)).toBe(true);
      expect(isEverybodyRefused(now, around[0].slice(1), around[1].slice(before === 0 ? 1 : 0))).toBe(false);
    }
  });

  it('not beyond the nearest mail that stayed, before it and after it', () => {
    const now = { identityId: 'now' };
    const far = [...bounced(1), ...accepted, ...bounced(9)];
    expect(isEverybodyRefused(now, far, far)).toBe(false);
    expect(isEverybodyRefused(now, far, [...bounced(4), ...accepted])).toBe(true);
  });
});
