import { crc32 as reference } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/domain/tokens/crc32.js';
import { formatPersonalToken, isPersonalToken } from '../../../src/domain/tokens/personal-token.js';

const random = fc.uint8Array({ minLength: 32, maxLength: 32 });
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('crc32', () => {
  it('is the check value of the standard for "123456789"', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
  });

  it('agrees with zlib for any ASCII text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => crc32(text) === reference(text)));
  });
});

describe('a personal access token', () => {
  it('has a prefix, 43 characters of the random bits, and six of the checksum', () => {
    expect(formatPersonalToken('dmp', new Uint8Array(32)).slice(0, -6)).toBe(`dmp_${'0'.repeat(43)}`);
    const most = formatPersonalToken('dmp', new Uint8Array(32).fill(255));
    expect(most).toMatch(/^dmp_[0-9A-Za-z]{49}$/);
    const read = [...most.slice(4, 47)].reduce(
      (sum, digit) => sum * 62n + BigInt(alphabet.indexOf(digit)),
      0n,
    );
    expect(read).toBe(2n ** 256n - 1n);
  });

  it('is accepted as it was made, and differs wherever the random bytes differ', () => {
    fc.assert(
      fc.property(random, random, (one, other) => {
        const token = formatPersonalToken('dmp', one);
        expect(isPersonalToken('dmp', token)).toBe(true);
        expect(token === formatPersonalToken('dmp', other)).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });

  it('with a checksum that begins with 0 keeps its length and is accepted', () => {
    const zeros = Array.from({ length: 4_000 }, (_, nth) => {
      const bytes = new Uint8Array(32);
      new DataView(bytes.buffer).setUint32(28, nth);
      return formatPersonalToken('dmp', bytes);
    }).filter((token) => token.at(-6) === '0');
    // 62⁵ of 2³² checksums need five characters or fewer: a fifth of all.
    expect(zeros.length).toBeGreaterThan(500);
    expect(zeros.some((token) => token.slice(-6).startsWith('00'))).toBe(true);
    for (const token of zeros) {
      expect(token).toHaveLength(53);
      expect(isPersonalToken('dmp', token)).toBe(true);
    }
  });

  it('with one character changed is refused', () => {
    fc.assert(
      fc.property(random, fc.nat(48), fc.nat(60), (bytes, at, step) => {
        const token = formatPersonalToken('dmp', bytes);
        const place = 4 + at;
        const changed = alphabet.charAt((alphabet.indexOf(token.charAt(place)) + 1 + step) % 62);
        expect(isPersonalToken('dmp', token.slice(0, place) + changed + token.slice(place + 1))).toBe(false);
      }),
    );
  });

  it('with two neighbours swapped is refused', () => {
    fc.assert(
      fc.property(random, fc.nat(47), (bytes, at) => {
        const token = formatPersonalToken('dmp', bytes);
        const [one, other] = [token.charAt(4 + at), token.charAt(5 + at)];
        fc.pre(one !== other);
        expect(isPersonalToken('dmp', token.slice(0, 4 + at) + other + one + token.slice(6 + at))).toBe(
          false,
        );
      }),
    );
  });

  it.each([
    ['nothing', () => ''],
    ['another prefix', (token: string) => `ghp_${token.slice(4)}`],
    ['no separator', (token: string) => token.replace('_', '')],
    ['a character too few', (token: string) => token.slice(0, -1)],
    ['a character too many', (token: string) => `${token}0`],
    ['a line break at its end', (token: string) => `${token}\n`],
    ['a space before it', (token: string) => ` ${token}`],
    ['a letter outside base62', (token: string) => `${token.slice(0, 10)}-${token.slice(11)}`],
    ['a digit of another script', (token: string) => `${token.slice(0, 10)}٣${token.slice(11)}`],
    ['its prefix in capitals', (token: string) => token.replace('dmp', 'DMP')],
  ])('with %s is refused', (_what, changed) => {
    const token = formatPersonalToken('dmp', new Uint8Array(32).fill(7));
    expect(isPersonalToken('dmp', token)).toBe(true);
    expect(isPersonalToken('dmp', changed(token))).toBe(false);
  });

  it('of any text other than a token is refused', () => {
    fc.assert(fc.property(fc.string(), (text) => !isPersonalToken('dmp', `dmp_${text}`)));
  });

  it('with the prefix of another installation is refused, whatever its checksum', () => {
    expect(isPersonalToken('dmp', formatPersonalToken('acme', new Uint8Array(32)))).toBe(false);
  });

  it.each([0, 16, 31, 33])('of %i random bytes is not made', (length) => {
    expect(() => formatPersonalToken('dmp', new Uint8Array(length))).toThrow(/32 random bytes/);
  });
});
