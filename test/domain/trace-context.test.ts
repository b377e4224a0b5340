/** What is taken of a trace context from outside. */
import { describe, expect, it } from 'vitest';
import { traceContextOf } from '../../src/domain/trace-context.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a trace context', () => {
  it('is taken with its state', () => {
    expect(traceContextOf({ traceparent, tracestate: 'acorn=1' })).toEqual({
      traceparent,
      tracestate: 'acorn=1',
    });
    expect(traceContextOf({ traceparent, undecided: true })).toEqual({ traceparent, undecided: true });
  });

  it.each([
    ['another version', '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['capital letters', traceparent.toUpperCase()],
    ['more behind it', `${traceparent}-00`],
    ['something before it', ` ${traceparent}`],
    ['a line break', `${traceparent}\n`],
    ['nothing', ''],
    ['a number', 7],
  ])('with %s is none', (_what, value) => {
    expect(traceContextOf({ traceparent: value, tracestate: 'acorn=1' })).toBeUndefined();
  });

  it.each([undefined, null, 'text', 7])('%j is none', (value) => {
    expect(traceContextOf(value)).toBeUndefined();
  });

  it.each([
    ['longer than 512 characters', `a=${'b'.repeat(511)}`],
    ['empty', ''],
    ['with a line break', 'a=b\nc'],
    ['with other letters', 'a=ü'],
    ['a list', ['a=b', 'c=d']],
  ])('leaves out a state that is %s', (_what, tracestate) => {
    expect(traceContextOf({ traceparent, tracestate })).toEqual({ traceparent });
  });

  it('keeps a state of 512 characters, and takes only a true mark for undecided', () => {
    const tracestate = `a=${'b'.repeat(510)}`;
    expect(traceContextOf({ traceparent, tracestate, undecided: 'true' })).toEqual({
      traceparent,
      tracestate,
    });
  });
});
