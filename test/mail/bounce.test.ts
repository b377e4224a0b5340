/** Which texts of a report name a mail, and which a status. */
import { describe, expect, it } from 'vitest';
import { asQueueId, findStatusCode } from '../../src/mail/bounce.js';

describe('a name that a server gave a mail', () => {
  it.each(['4F2A', '1rT5xK-0004Zb-2x', 'a'.repeat(79).concat('1')])('%s is one', (text) => {
    expect(asQueueId(text)).toBe(text);
  });

  it.each([
    ['absent', undefined],
    ['of three characters', 'A12'],
    ['of 81 characters', 'a'.repeat(80).concat('1')],
    ['a word without a digit', 'queued'],
    ['two words', 'queued as4F2A'],
    ['an address', 'anna1@people.example'],
    ['with something behind it', '4F2A;'],
  ])('a text that is %s is none', (_what, text) => {
    expect(asQueueId(text)).toBeUndefined();
  });
});

describe('the status code in a diagnostic text', () => {
  it.each([
    ['550 5.1.1 <anna@people.example>: unknown', '5.1.1'],
    ['550 5.7.26 unauthenticated', '5.7.26'],
    ['smtp; 452-4.2.2 full', '4.2.2'],
    ['delivered (2.10.100)', '2.10.100'],
    ['host 15.1.1.1 said no', undefined],
    ['host 5.1.1.1 said no', undefined],
    ['3.1.1 is no class', undefined],
  ])('of "%s" is %s', (text, code) => {
    expect(findStatusCode(text)).toBe(code);
  });
});
