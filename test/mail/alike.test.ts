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
});
