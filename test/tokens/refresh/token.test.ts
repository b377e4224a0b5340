import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstToken,
  formatToken,
  hashOf,
  parseToken,
  type RefreshToken,
  successorOf,
  validTokenOf,
} from '../../../src/tokens/refresh/token.js';

const key = randomBytes(32);
const first = firstToken(randomUUID(), randomBytes(32));
const line = [first];
for (let step = 0; step < 5; step += 1) line.push(successorOf(key, line.at(-1) as RefreshToken));
const at = (generation: number): RefreshToken => line[generation] as RefreshToken;
const validAt = (generation: number) => ({ generation, tokenHash: hashOf(at(generation)) });

describe('a token', () => {
  it('is read as it was written, and has a prefix that scanners find', () => {
    expect(formatToken(first)).toMatch(/^dmr_[A-Za-z0-9_-]{70}$/);
    expect(parseToken(formatToken(at(3)))).toEqual(at(3));
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a number', 5],
    ['another prefix', formatToken(first).replace('dmr_', 'dmx_')],
    ['a part', formatToken(first).slice(0, -2)],
    ['more', `${formatToken(first)}AA`],
    ['a long text', `dmr_${'A'.repeat(1_000_000)}`],
    ['padding', `${formatToken(first)}==`],
    [
      'another text for the same bytes',
      formatToken({ ...first, secret: Buffer.alloc(32) }).replace(/A$/, 'B'),
    ],
  ])('%s is none', (_what, text) => {
    expect(parseToken(text)).toBeUndefined();
  });

  it('is never read from arbitrary text as anything that would be written differently', () => {
    fc.assert(
      fc.property(fc.base64String(), (text) => {
        const parsed = parseToken(`dmr_${text}`);
        expect(parsed === undefined || formatToken(parsed) === `dmr_${text}`).toBe(true);
      }),
    );
  });
});

describe('the line of a token', () => {
  it('is always the same, and each place has a secret of its own', () => {
    expect(successorOf(key, first)).toEqual(at(1));
    expect(new Set(line.map((token) => token.secret.toString('hex'))).size).toBe(6);
  });

  it('follows from no other key', () => {
    expect(successorOf(randomBytes(32), first).secret).not.toEqual(at(1).secret);
  });

  it.each([0, 1, 4, 5])('leads from place %d to the valid token', (generation) => {
    expect(validTokenOf(key, at(generation), validAt(5))).toEqual(at(5));
  });

  it.each<[string, RefreshToken]>([
    ['a secret of its own', { ...first, secret: randomBytes(32) }],
    ['a wrong place', { ...first, generation: 2 }],
    ['a place beyond the valid one', at(5)],
    ['another family', { ...first, familyId: randomUUID() }],
    ['the last place that there is', { ...first, generation: 0xffff_ffff }],
  ])('does not hold a token with %s', (_what, token) => {
    expect(validTokenOf(key, token, validAt(4))).toBeUndefined();
  });

  it('is not walked for a place that is too far away', () => {
    expect(validTokenOf(key, first, { generation: 2_000_000_000, tokenHash: hashOf(first) })).toBeUndefined();
  });
});
