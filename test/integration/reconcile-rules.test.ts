/** The parts of reconciliation that need no server: the pace, the link to the next page, the line of progress. */
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/process/pacer.js';
import { nextPageToken } from '../../src/reconciliation/directory.js';
import { progressLine, summary } from '../../src/reconciliation/progress.js';
import { noCounts } from '../../src/workflows/reconcile-messages.js';

/** A clock that moves only when somebody sleeps on it. */
class FakeClock {
  time = 0;
  now = () => this.time;
  sleep = async (ms: number) => {
    this.time += ms;
  };
}

describe('the pacer', () => {
  it('gives one turn at once and the others evenly: 5 a second are 50 in 9.8 s', async () => {
    const clock = new FakeClock();
    const pacer = new Pacer(5, clock);
    for (let turn = 0; turn < 50; turn += 1) await pacer.turn();
    expect(clock.time).toBeCloseTo(49 * 200);
  });

  it('does not make up for turns that nobody took', async () => {
    const clock = new FakeClock();
    const pacer = new Pacer(10, clock);
    await pacer.turn();
    clock.time = 60_000;
    for (let turn = 0; turn < 11; turn += 1) await pacer.turn();
    expect(clock.time).toBeCloseTo(61_000);
  });

  it('keeps the rate over many callers at once', async () => {
    const waits: number[] = [];
    const pacer = new Pacer(100, {
      now: () => 0,
      sleep: async (ms) => {
        waits.push(ms);
      },
    });
    await Promise.all(Array.from({ length: 200 }, () => pacer.turn()));
    expect(waits).toHaveLength(199);
    expect(Math.max(...waits)).toBeCloseTo(1_990);
  });
});

describe('the link to the next page', () => {
  it.each([
    [
      '</admin/identities?page_size=2&page_token=00000000>; rel="first",</admin/identities?page_size=2&page_token=abc>; rel="next"',
      'abc',
    ],
    ['<https://x.projects.oryapis.com/admin/identities?page_size=2&page_token=a%3Db>; rel="next"', 'a=b'],
    ['</admin/identities?page_size=2&page_token=00000000>; rel="first"', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('is read from %j', (link, token) => {
    expect(nextPageToken(link)).toBe(token);
  });
});

describe('the preview', () => {
  it('says how many first mails go out on which day, in the order of the days', () => {
    const mails = {
      later: { verified: 1, unverified: 0 },
      '10': { verified: 3, unverified: 4 },
      '2': { verified: 5, unverified: 0 },
      '0': { verified: 1200, unverified: 300 },
    };
    const result = {
      schemaVersion: 1,
      dryRun: true,
      ...noCounts,
      preview: {},
      startedAt: 0,
      endedAt: 1,
    } as const;
    const lines = summary({ ...result, mails }).split('\n');
    expect(lines.slice(2)).toEqual([
      'Their first mails, by addresses that somebody confirmed and others:',
      '  at once                   1200 confirmed, 300 not',
      '  in 2 days                 5 confirmed, 0 not',
      '  in 10 days                3 confirmed, 4 not',
      '  after 30 days             1 confirmed, 0 not',
    ]);
    expect(summary(result)).not.toContain('first mails');
  });
});

describe('the line of progress', () => {
  const base = { place: { phase: 'identities' }, preview: {}, startedAt: 0 } as const;
  it('has progress, rate and remaining time', () => {
    const progress = { ...base, counts: { ...noCounts, seen: 500, started: 400 }, expected: 2_000 };
    expect(progressLine(progress, 10_000)).toBe(
      '[######..................] 500/2000 seen, 400 started, 50/s, 30 s left',
    );
  });

  it('leaves out the total if Kratos does not give it', () => {
    expect(progressLine({ ...base, counts: { ...noCounts, seen: 20 } }, 2_000)).toBe(
      '20 seen, 0 started, 10/s',
    );
  });
});
