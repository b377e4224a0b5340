import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalText, storable, textProblem } from '../../src/domain/free-text.js';
import { actorProblem, reasonProblem } from '../../src/domain/names.js';

const limits = { characters: 20 };

describe('free text', () => {
  // biome-ignore format: a table
  it.each<[what: string, text: string, problem: RegExp]>([
    ['a NUL', 'a\u0000', /a control character at position 2/],
    ['a line feed: the audit log has one line an entry', 'a\nb', /a control character at position 2/],
    ['an escape', '\u001b[31m', /a control character at position 1/],
    ['a C1 control', 'a\u0085', /a control character/],
    ['half of a surrogate pair', 'ab\ud800', /half of a surrogate pair at position 3/],
    ['the halves in the wrong order', '\udc00\ud800', /half of a surrogate pair at position 1/],
    ['a right-to-left override', 'safe\u202egnp', /direction of writing at position 5/],
    ['an isolate', 'a\u2066b', /direction of writing/],
    ['a line separator', 'a\u2028b', /line or paragraph separator/],
    ['a byte order mark', '\ufeffa', /invisible formatting character at position 1/],
    ['a zero-width space', 'a\u200bb', /invisible formatting character/],
    ['a tag character', 'a\u{e0041}', /invisible formatting character/],
    ['a private-use character', 'a\ue000', /private-use character/],
    ['an astral private-use character', '\u{10fffd}', /private-use character/],
    ['a noncharacter', 'a\uffff', /no character/],
    ['an astral noncharacter', 'a\u{1fffe}', /no character/],
    ['one character too many', 'x'.repeat(21), /longer than 20/],
    ['too many astral characters', '😀'.repeat(21), /longer than 20/],
  ])('with %s is refused', (_what, text, problem) => {
    expect(textProblem(text, limits)).toMatch(problem);
  });

  it.each([
    ['accents', 'Ärztin, São'],
    ['as many astral characters as it may hold', '😀'.repeat(20)],
    ['a joined emoji', '👩‍🚒'],
    ['a word with a non-joiner', 'می‌خواهم'],
    ['right-to-left letters', 'שלום'],
    ['punctuation', '“why?” – 50 %'],
  ])('with %s is taken', (_what, text) => {
    expect(textProblem(text, limits)).toBeUndefined();
  });

  it('is counted as it is stored: composed', () => {
    expect(normalText('e\u0301')).toBe('é');
    expect(textProblem('e\u0301'.repeat(20), limits)).toBeUndefined();
  });

  it('is not repeated by a refusal', () => {
    expect(textProblem('secret\u0000', limits)).not.toContain('secret');
  });

  it('that is accepted is stored in PostgreSQL without replacements', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (textProblem(text, { characters: 1_000 }) !== undefined) return;
        expect(storable(normalText(text))).toBe(normalText(text));
      }),
    );
  });
});

describe('text that was accepted before there was a rule', () => {
  it('is stored unchanged, except that characters which PostgreSQL refuses are replaced at any depth', () => {
    const value = { reason: 'a\u0000b', list: [{ why: 'x\ud800y' }, '😀', 1, null, true] };
    expect(storable(value)).toEqual({
      reason: 'a\ufffdb',
      list: [{ why: 'x\ufffdy' }, '😀', 1, null, true],
    });
  });
});

describe('a reason', () => {
  it('is refused for the same characters, and for an address in any width', () => {
    expect(reasonProblem('a\u0000')).toMatch(/control character/);
    expect(reasonProblem('asked by jo＠example.com')).toMatch(/opaque ids/);
    expect(reasonProblem('r'.repeat(200))).toBeUndefined();
    expect(reasonProblem('r'.repeat(201))).toMatch(/longer than 200/);
  });
});

describe('the name of an actor', () => {
  it.each([
    'engine',
    'Engine',
    'self-service',
    'SELF-SERVICE',
    'temporal',
    'Temporal',
  ])('can not be %s', (actor) => {
    expect(actorProblem(actor)).toMatch(/is a name that only Dormouse writes/);
  });

  it.each(['op-1', 'engineer', 'team/platform'])('can be %s', (actor) => {
    expect(actorProblem(actor)).toBeUndefined();
  });

  it.each(['', 'jo@example.com', 'a\u0000', 'еngine', 7, undefined])('can not be %j', (actor) => {
    expect(actorProblem(actor)).toMatch(/opaque id/);
  });
});
