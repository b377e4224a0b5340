/** Times in the gateway's answers, as the client hands them on. */
import { describe, expect, it } from 'vitest';
import { withEpochTimes } from '../../src/client/wire-times.js';

const text = '2026-01-31T00:00:00.000Z';
const at = Date.UTC(2026, 0, 31);

describe('times in an answer', () => {
  it('become epoch milliseconds at every depth, and in maps of times', () => {
    const answer = { since: text, activity: { human: text }, notices: [{ at: text, rung: 'warn' }] };
    expect(withEpochTimes(answer)).toEqual({
      since: at,
      activity: { human: at },
      notices: [{ at, rung: 'warn' }],
    });
  });

  it('of an earlier gateway stay the numbers that they are', () => {
    const answer = { since: at, completed: { warn: at } };
    expect(withEpochTimes(answer)).toEqual(answer);
  });

  it('are not sought in what people wrote', () => {
    const answer = { reason: text, why: text, holds: [{ id: 'h1', reason: text }] };
    expect(withEpochTimes(answer)).toEqual(answer);
  });

  it('that can not be read are an error', () => {
    expect(() => withEpochTimes({ revokedBefore: 'yesterday' })).toThrow(/RFC 3339/);
  });
});
