import { describe, expect, it } from 'vitest';
import { enhancedCodeOf, isOfServer, isRefusalOfServer } from '../../src/smtp/whose-trouble.js';

describe('the enhanced code of an answer', () => {
  it.each([
    ['550 5.1.1 no such user', '5.1.1'],
    ['550-5.7.26 This mail is unauthenticated\n550 5.7.26 see the help', '5.7.26'],
    ['550-The account sends too much\n550 5.4.5 Daily quota', '5.4.5'],
    ['550 #5.7.1 rejected', '5.7.1'],
    ['554 (5.7.1) rejected', '5.7.1'],
    ['550 5.7.1.2 an address', undefined],
    ['550 see 5.7.1', undefined],
    ['550 refused by 5.1.1.1', undefined],
  ])('%j: %s', (response, code) => {
    expect(enhancedCodeOf(response)).toBe(code);
  });
});

describe('a code that is about a server', () => {
  it.each(['5.3.4', '5.4.5', '5.7.1', '5.7.26', '4.4.7', '5.1.7', '5.1.8'])('%s', (code) => {
    expect(isOfServer(code)).toBe(true);
  });
  it.each(['5.1.1', '5.1.10', '5.2.1', '4.2.2', '5.0.0', '5.6.0', '2.7.0', ''])('%s is not', (code) => {
    expect(isOfServer(code)).toBe(false);
  });
});

it.each([
  ['550 Benutzer unbekannt', false],
  ['550 5.1.1 the user who is blocked is unknown', false],
  ['550 5.5.0 mailbox unavailable', false],
  ['550 5.5.0 your domain fails the policy', true],
  ['550 5.2.0 sender rejected', true],
])('%s: of the server: %s', (response, expected) => {
  expect(isRefusalOfServer(response, enhancedCodeOf(response))).toBe(expected);
});
