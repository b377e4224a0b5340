import { describe, expect, it } from 'vitest';
import { isOwed, isWithheld } from '../../src/mail/owed.js';
import { mailKinds } from '../../src/mail/render.js';

describe('a mail to an address with a history', () => {
  const clean = { hardBounces: 0, complained: false };
  it.each(mailKinds)('%s: goes out after two that came back, and not after three', (kind) => {
    expect(isWithheld(clean, kind)).toBe(false);
    expect(isWithheld({ ...clean, hardBounces: 2 }, kind)).toBe(false);
    expect(isWithheld({ ...clean, hardBounces: 3 }, kind)).toBe(true);
  });

  it('a complaint keeps back what is not owed, and nothing else', () => {
    const withheld = mailKinds.filter((kind) => isWithheld({ ...clean, complained: true }, kind));
    expect(withheld).toEqual(['winback']);
    expect(mailKinds.filter((kind) => !isOwed(kind))).toEqual(['winback']);
  });
});
