import { describe, expect, it } from 'vitest';
import { dayMs } from '../../../src/domain/duration.js';
import { PolicyFileError, parsePolicyFile } from '../../../src/policies/yaml.js';

const ladder = `id: p
ladder:
  warn: { after: 30d }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`;
const read = (refresh: string) =>
  parsePolicyFile(`${ladder}tokens: { refresh: ${refresh} }`, 'p.yaml').tokens?.refresh;

function problemsOf(refresh: string): string[] {
  try {
    read(refresh);
  } catch (error) {
    if (error instanceof PolicyFileError)
      return error.problems.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
  return [];
}

describe('the section tokens.refresh', () => {
  it('may be left out', () => {
    expect(parsePolicyFile(ladder, 'p.yaml').tokens).toBeUndefined();
    expect(parsePolicyFile(`${ladder}tokens: {}`, 'p.yaml').tokens?.refresh).toBeUndefined();
  });

  it('has the figures of the seed where nothing is written', () => {
    expect(read('{}')).toEqual({
      unused: 365 * dayMs,
      sameOrigin: 30 * dayMs,
      inactive: 180 * dayMs,
      grace: 10_000,
      keepAddress: 60 * dayMs,
      keepDead: 90 * dayMs,
      onPasswordReset: 'revoke',
      tellAfterwards: true,
    });
  });

  it('takes "off", a grace of 0, and a longest lifetime', () => {
    expect(read('{ sameOrigin: off, grace: 0, longestLifetime: 30d, keepAddress: 1d }')).toMatchObject({
      sameOrigin: null,
      grace: 0,
      longestLifetime: 30 * dayMs,
    });
  });

  it.each([
    ['{ unused: 365 }', 'tokens.refresh.unused', 'Write a whole number and a unit'],
    ['{ sameOrigin: never }', 'tokens.refresh.sameOrigin', 'neither "off" nor a duration'],
    ['{ grace: 5 }', 'tokens.refresh.grace', 'neither 0'],
    ['{ grace: 61s }', 'tokens.refresh.grace', 'Shorten it'],
    ['{ sameOrigin: 365d, keepAddress: 400d }', 'tokens.refresh.sameOrigin', 'would never apply'],
    ['{ keepAddress: 30d }', 'tokens.refresh.keepAddress', 'before they are compared'],
    ['{ unused: 12h, sameOrigin: off }', 'tokens.refresh.unused', 'shorter than a day'],
    ['{ longestLifetime: 1h }', 'tokens.refresh.longestLifetime', 'shorter than a day'],
    ['{ onPasswordReset: maybe }', 'tokens.refresh.onPasswordReset', '"revoke"'],
    ['{ rotation: 1d }', 'tokens.refresh.rotation', 'not a field'],
  ])('refuses %s and names the field and the way out', (text, field, way) => {
    expect(problemsOf(text)).toEqual(expect.arrayContaining([expect.stringContaining(`${field}: `)]));
    expect(problemsOf(text).join('\n')).toContain(way);
  });

  it('allows short durations where the policy does', () => {
    const text = `${ladder}allowShortDurations: true\ntokens: { refresh: { unused: 60s, sameOrigin: 10s, keepAddress: 20s } }`;
    expect(parsePolicyFile(text, 'p.yaml').tokens?.refresh?.unused).toBe(60_000);
  });
});
