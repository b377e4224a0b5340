import { expect, it } from 'vitest';
import type { TokenStanding } from '../../../src/tokens/admission-rules.js';
import { isOwnerAdmitted } from '../../../src/tokens/refresh/admission.js';

const at = Date.parse('2026-03-02T09:00:00Z');

it.each<[string, TokenStanding, boolean]>([
  ['nothing is known', {}, true],
  ['active', { stage: 'active', since: at + 1 }, true],
  ['warned', { stage: 'warned', since: at + 1 }, true],
  ['revoked a millisecond before the sign-in', { stage: 'active', notBefore: at - 1 }, true],
  ['revoked in the millisecond of the sign-in', { stage: 'active', notBefore: at }, false],
  ['suspended before the sign-in', { stage: 'suspended', since: at - 1 }, true],
  ['suspended in the millisecond of the sign-in', { stage: 'suspended', since: at }, false],
  ['revoked since a time that is not known', { stage: 'revoked' }, false],
  ['deactivated before the sign-in', { stage: 'deactivated', since: at - 1 }, false],
  ['deleted before the sign-in', { stage: 'deleted', since: at - 1 }, false],
])('an owner (%s) of a family that signed in at a moment', (_what, standing, admitted) => {
  expect(isOwnerAdmitted(standing, at)).toBe(admitted);
});
