import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Ignored, ignoredSchema, judge } from '../../tools/advisories/judge.js';

const id = 'GHSA-aaaa-bbbb-cccc';
const advisory = {
  source: 1,
  name: 'left-pad',
  title: 'pads for ever',
  url: `https://github.com/advisories/${id}`,
  severity: 'high',
  range: '<1.0.0',
};
const report = {
  auditReportVersion: 2,
  vulnerabilities: { 'left-pad': { via: [advisory] }, express: { via: ['left-pad'] } },
};
const exception: Ignored[number] = {
  id,
  package: 'left-pad',
  reason: 'only reached with a length that the caller can not choose',
  until: '2027-01-31',
};

describe('the advisories', () => {
  it('fail once on an advisory that is not ignored, by its package and id', () => {
    const { failures } = judge(report, [], '2027-01-01') ?? {};
    expect(failures).toEqual([`${id} high left-pad <1.0.0: pads for ever`]);
  });

  it('list ignored advisories with their reason, up to the review date', () => {
    expect(judge(report, [exception], '2027-01-31')).toEqual({
      failures: [],
      ignored: [expect.stringContaining(exception.reason)],
    });
    expect(judge(report, [exception], '2027-02-01')?.failures).toEqual([
      expect.stringContaining('was ignored until 2027-01-31'),
    ]);
  });

  it('do not take the exception of one package for another', () => {
    expect(judge(report, [{ ...exception, package: 'express' }], '2027-01-01')?.failures).toHaveLength(1);
  });

  it('fail on an exception that is not needed any more', () => {
    const clean = { auditReportVersion: 2, vulnerabilities: {} };
    expect(judge(clean, [exception], '2027-01-01')?.failures).toEqual([
      expect.stringContaining('take it off the list'),
    ]);
    expect(judge(clean, [], '2027-01-01')).toEqual({ failures: [], ignored: [] });
  });

  it.each([
    undefined,
    {},
    { message: 'method not allowed', error: {} },
  ])('are reported as not checked if the registry answers %j', (answer) => {
    expect(judge(answer, [], '2027-01-01')).toBeUndefined();
  });

  it('are ignored only by an entry with a reason and an end', () => {
    const list = readFileSync(new URL('../../tools/advisories/ignored.json', import.meta.url), 'utf8');
    expect(ignoredSchema.safeParse(JSON.parse(list)).error).toBeUndefined();
  });
});
