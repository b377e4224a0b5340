/** Names of identities and of their workflows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  InvalidIdentityIdError,
  lifecycleWorkflowId,
  parseIdentityId,
} from '../../src/domain/identity-id.js';
import { anna } from './fixtures.js';

describe('parseIdentityId', () => {
  it('takes every UUID, and gives one name whatever its case', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(parseIdentityId(id.toUpperCase())).toBe(id);
        expect(lifecycleWorkflowId(id.toUpperCase())).toBe(lifecycleWorkflowId(id));
      }),
    );
  });

  it.each([
    'anna@example.org',
    '',
    '00000000-0000-0000-0000-000000000000',
    anna.replaceAll('-', ''),
    `${anna}\n`,
    ` ${anna}`,
    `identity-lifecycle/${anna}`,
    42,
    null,
    undefined,
    [anna],
  ])('refuses %j', (text) => {
    expect(() => parseIdentityId(text)).toThrow(InvalidIdentityIdError);
  });

  it('does not repeat a refused value: it may be an e-mail address', () => {
    expect(() => lifecycleWorkflowId('anna@example.org')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('anna@') }),
    );
  });
});
