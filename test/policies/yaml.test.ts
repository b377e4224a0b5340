/** Policy files: refusals, and messages with the place, the problem and the way out. */
import { describe, expect, it } from 'vitest';
import { PolicyFileError, parsePolicyFile } from '../../src/policies/yaml.js';
import { defaultText } from '../domain/fixtures.js';

/** The problems that a file has, as `line field: message`. */
function problemsOf(text: string): string[] {
  try {
    parsePolicyFile(text, 'policies/mine.yaml');
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    expect(error.message.split('\n')).toHaveLength(error.problems.length);
    for (const line of error.message.split('\n')) expect(line).toMatch(/^policies\/mine\.yaml:\d+: /);
    return error.problems.map(({ line, field, message }) => `${line} ${field}: ${message}`);
  }
  return [];
}

/** The default policy with one text replaced. */
function changed(from: string, to: string, text = defaultText): string {
  if (!text.includes(from)) throw new Error(`the default policy does not say ${from}`);
  return text.replace(from, to);
}

/** The line on which a text stands. */
function lineOf(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}

describe('a policy file is refused for', () => {
  it.each([
    [
      'an unknown field',
      'recheck: 7d',
      'recheck: 7d\ncolour: red',
      'colour',
      /not a field.*spelling.*take it out/,
    ],
    ['a misspelt rung', '  suspend:', '  suspnd:', 'ladder.suspnd', /not a field.*spelling/],
    [
      'a misspelt rung of a role',
      '    revoke:\n      after: 7d',
      '    revok:\n      after: 7d',
      'roles.admin.revok',
      /not a field/,
    ],
    [
      'a bad duration',
      'after: 30d',
      'after: soon',
      'ladder.warn.after',
      /"soon" is not a duration.*30d, 12h/,
    ],
    [
      'months',
      'after: 30d',
      'after: 1mo',
      'ladder.warn.after',
      /"1mo" is not a duration.*whole number and a unit/,
    ],
    ['years', 'after: 730d', 'after: 2y', 'ladder.delete.after', /"2y" is not a duration/],
    ['a fraction', 'after: 30d', 'after: 1.5d', 'ladder.warn.after', /"1.5d" is not a duration/],
    ['nothing at all', 'after: 30d', 'after: 0d', 'ladder.warn.after', /"0d" is not a duration/],
    ['a bare number', 'after: 30d', 'after: 30', 'ladder.warn.after', /not a duration.*30d/],
    [
      'more than a hundred years',
      'after: 730d',
      'after: 999999999w',
      'ladder.delete.after',
      /hundred years.*Shorten/,
    ],
    [
      'rungs out of order',
      'after: 90d',
      'after: 50d',
      'ladder.revoke.after',
      /50d is not later than suspend \(60d\).*order warn, suspend/,
    ],
    [
      'a notice ahead of the rung before',
      'notices: [30d, 7d, 1d]',
      'notices: [366d, 7d, 1d]',
      'ladder.delete.notices',
      /before the rung that precedes delete.*at most 365d/,
    ],
    [
      'notices that do not descend',
      '[30d, 7d, 1d]',
      '[30d, 1d, 7d]',
      'ladder.delete.notices',
      /must descend/,
    ],
    ['no notice', 'notices: [7d]', 'notices: []', 'ladder.revoke.notices', /at least one notice.*\[7d\]/],
    [
      'a notice that is no list',
      'notices: [7d]',
      'notices: 7d',
      'ladder.revoke.notices',
      /wrong kind. Write a list/,
    ],
    [
      'a floor longer than the lead',
      'noticeFloor: 30d',
      'noticeFloor: 31d',
      'ladder.delete.noticeFloor',
      /31d is longer.*lead \(30d\).*shorten the floor/,
    ],
    [
      'a floor of suspend longer than its gap',
      'noticeFloor: 7d #',
      'noticeFloor: 31d #',
      'ladder.suspend.noticeFloor',
      /between warn and suspend \(30d\). Shorten/,
    ],
    [
      'short durations',
      'after: 30d',
      'after: 30s',
      'ladder.warn.after',
      /30s is shorter than a day.*allowShortDurations: true/,
    ],
    ['a short notice', '[30d, 7d, 1d]', '[30d, 7d, 1h]', 'ladder.delete.notices', /1h is shorter than a day/],
    [
      'a link that holds for weeks',
      'linkLifetime: 1d',
      'linkLifetime: 30d',
      'selfService.reactivation.linkLifetime',
      /30d is longer than 7d.*Shorten it/,
    ],
    [
      'a link that is over before its mail arrives',
      'linkLifetime: 1d',
      'linkLifetime: 30s',
      'selfService.reactivation.linkLifetime',
      /30s is shorter than a mail may take.*at least 10m.*allowShortDurations: true/,
    ],
    [
      'a postponement of a rung that needs no notice',
      'rungs: [deactivate, delete]',
      'rungs: [suspend, delete]',
      'selfService.keep.rungs.0',
      /name rungs with notices: revoke, deactivate, delete/,
    ],
    [
      'a postponement of nothing',
      'rungs: [deactivate, delete]',
      'rungs: []',
      'selfService.keep.rungs',
      /is empty. Name at least one rung/,
    ],
    [
      'a postponement named twice',
      'rungs: [deactivate, delete]',
      'rungs: [delete, delete]',
      'selfService.keep.rungs',
      /names a rung twice/,
    ],
    [
      'a postponement shorter than the notices that are given anew',
      'postpones: 30d',
      'postpones: 29d',
      'selfService.keep.postpones',
      /29d is shorter than the longest lead of the notices of delete \(30d\).*at least 30d/,
    ],
    [
      'a short postponement',
      'postpones: 30d',
      'postpones: 12h',
      'selfService.keep.postpones',
      /12h is shorter than a day.*allowShortDurations: true/,
    ],
    ['a postponement that is never granted', 'times: 2', 'times: 0', 'selfService.keep.times', />=1/],
    [
      'deletion without notice',
      'noticeFloor: 30d',
      'withoutNotice: proceed\n    noticeFloor: 30d',
      'ladder.delete.withoutNotice',
      /never allowed: write "wait"/,
    ],
    [
      'a word for a switch',
      'mailAfter: true',
      'mailAfter: yes',
      'ladder.revoke.mailAfter',
      /wrong kind. Write true or false/,
    ],
    [
      'a misspelt never',
      'service: never\n\n# metadata',
      'service: nver\n\n# metadata',
      'roles.service',
      /write "never" \(exempt\), or the rungs/,
    ],
    [
      'a misspelt application',
      'trusted_integration: never',
      'trusted_integration: no',
      'accountTypes.trusted_integration',
      /write "ladder".*or "never"/,
    ],
    [
      'everybody exempt',
      'regular: ladder',
      'regular: never',
      'accountTypes.regular',
      /would exempt everybody/,
    ],
    ['a bad jitter', 'jitter: 1h', 'jitter: some', 'jitter', /neither "none" nor a duration/],
    [
      'an address as exclusion',
      'identities: []',
      'identities: [anna@example.org]',
      'exclusions.identities.0',
      /not a UUID.*Kratos id/,
    ],
    ['a bad id', 'id: default', 'id: Default', 'id', /lower-case letters/],
    ['an unknown kind', '[human, token]', '[human, robot]', 'keepsAlive.1', /human/],
    [
      'retries that shorten',
      'longestAfter: 1h',
      'longestAfter: 1s',
      'retry.longestAfter',
      /shorter than firstAfter/,
    ],
    ['no attempts', 'attempts: 40', 'attempts: 0', 'retry.attempts', />=1/],
    ['a field without value', 'id: default', 'id:', 'id', /wrong kind. Write a text/],
  ])('%s', (_what, from, to, field, message) => {
    const text = changed(from, to);
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    const last = field.split('.').findLast((part) => !/^\d+$/.test(part)) ?? '';
    const line = new RegExp(`^ *${last}:`);
    const [at, named] = (problems[0] ?? '').split(' ');
    expect(named).toBe(`${field}:`);
    expect(problems[0]).toMatch(message);
    expect(text.split('\n')[Number(at) - 1]).toMatch(line);
  });

  it('a missing field, at the line of what it is missing from', () => {
    const text = changed('    noticeFloor: 30d # and never without an accepted notice\n', '');
    expect(problemsOf(text)).toEqual([
      `${lineOf(text, '  delete:')} ladder.delete.noticeFloor: is missing. Add it: a text`,
    ]);
  });

  it('an override of a rung that is missing', () => {
    const text = defaultText
      .replace(/ {2}winback:\n {4}after: 180d\n/, '')
      .replace('  admin:\n', '  admin:\n    winback:\n      after: 100d\n');
    expect(problemsOf(text)).toEqual([
      `${lineOf(text, '    winback:')} roles.admin.winback: the ladder has no rung "winback" to override. Add it to the ladder`,
    ]);
  });

  it('an override for unconfirmed accounts of a rung that is missing, or that a ladder can not keep', () => {
    const without = defaultText
      .replace(/ {2}winback:\n {4}after: 180d\n/, '')
      .replace('roles:\n', 'unconfirmed:\n  winback: { after: 10d }\nroles:\n');
    expect(problemsOf(without)).toEqual([
      `${lineOf(without, '  winback: { after: 10d }')} unconfirmed.winback: the ladder has no rung "winback" to override. Add it to the ladder`,
    ]);
    const late = defaultText.replace('roles:\n', 'unconfirmed:\n  delete: { notices: [800d] }\nroles:\n');
    expect(problemsOf(late)[0]).toMatch(/unconfirmed\.delete/);
  });

  it('a ladder without rungs', () => {
    const text =
      'id: none\nladder: {}\nrecheck: 1d\nretry: {attempts: 1, firstAfter: 1s, longestAfter: 1s}\n';
    expect(problemsOf(text)).toEqual([
      '2 ladder: has no rung. Add at least one of: warn, suspend, revoke, winback, deactivate, delete',
    ]);
  });

  it.each([
    ['empty', '', /^1 : the file is empty.*policies\/default.yaml/],
    ['only comments', '# nothing\n', /^1 : the file is empty/],
    ['a list', '- warn\n- revoke\n', /^1 : the file holds no fields.*policies\/default.yaml/],
    ['a text', 'hello', /^1 : the file holds no fields/],
    ['not YAML', 'id: default\nladder: [\n', /^\d+ : is not YAML: .*Mend the line/],
    ['indented by tabs', 'id: default\nladder:\n\twarn: x\n', /^3 : is not YAML: Tabs/],
    [
      'an alias to nowhere',
      'id: default\nladder: *nowhere\n',
      /is not YAML: Unresolved alias.*Write the value out/,
    ],
    ['two documents', 'id: a\n---\nid: b\n', /^2 : is not YAML: Source contains multiple documents/],
    [
      'holding a field twice',
      `${defaultText}\nid: again\n`,
      /^\d+ : the same field stands here for the second time. Take one out/,
    ],
  ])('being %s', (_what, text, message) => {
    expect(problemsOf(text)[0]).toMatch(message);
  });
});

describe('several problems', () => {
  it('of spelling and kind are all told, each at its own line', () => {
    const text = [
      ['recheck: 7d', 'recheck: 7'],
      ['after: 30d', 'after: 1mo'],
      ['      after: 7d\n      notices: [2d]', '      aftr: 7d\n      notices: [2x]\n      foo: 1'],
    ].reduce((before, [from = '', to = '']) => changed(from, to, before), defaultText);
    const told = problemsOf(text).map((problem) => problem.split(': ')[0]);
    expect(told.toSorted()).toEqual(
      [
        `${lineOf(text, 'recheck: 7')} recheck`,
        `${lineOf(text, 'after: 1mo')} ladder.warn.after`,
        `${lineOf(text, 'aftr')} roles.admin.revoke.aftr`,
        `${lineOf(text, 'notices: [2x]')} roles.admin.revoke.notices.0`,
        `${lineOf(text, 'foo: 1')} roles.admin.revoke.foo`,
      ].toSorted(),
    );
  });

  it('of a ladder that does not hold together are all told, once and not again for every role', () => {
    const text = changed('noticeFloor: 30d', 'noticeFloor: 31d', changed('after: 90d', 'after: 50d'));
    expect(problemsOf(text).map((problem) => problem.split(': ')[0])).toEqual([
      `${lineOf(text, 'after: 50d')} ladder.revoke.after`,
      `${lineOf(text, 'noticeFloor: 31d')} ladder.delete.noticeFloor`,
    ]);
  });

  it('of a role that does not hold together are told under the role', () => {
    const text = changed('noticeFloor: 2d', 'noticeFloor: 3d');
    expect(problemsOf(text)).toEqual([
      `${lineOf(text, 'noticeFloor: 3d')} roles.admin.revoke.noticeFloor: 3d is longer than the first notice's lead (2d). Give notice earlier, or shorten the floor`,
    ]);
  });
});

it('a role may pull a rung ahead so that another falls away, which then need not fit in', () => {
  expect(problemsOf(changed('roles:\n', 'roles:\n  guest:\n    deactivate:\n      after: 85d\n'))).toEqual(
    [],
  );
});
