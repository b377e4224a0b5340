/** Guards of policies: what operators published stands, and nothing acts by a text that nobody published. */
import type { Guard } from './guard.js';

const rollout = { project: 'system', tests: ['test/workflows/policy-rollout.test.ts'] } as const;
const system = { project: 'system', tests: ['test/integration/policies.test.ts'] } as const;

export const policyGuards: readonly Guard[] = [
  {
    name: 'previews: one runs at a time, for API and desk',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/policy-preview.test.ts'],
    only: 'side by side',
  },
  {
    name: 'policies: a start takes back nothing that operators published',
    takenOut: { condition: false },
    ...system,
    only: 'the first version',
  },
  {
    name: 'policies: of two who publish at once, the second is told',
    takenOut: 'left out',
    ...system,
    only: 'publishing a policy|rolling a policy back',
  },
  {
    name: 'policies: one publication at a time',
    takenOut: { part: "'SELECT pg_advisory_xact_lock(hashtext($1))'", becomes: "'SELECT $1::text'" },
    ...system,
    only: 'at once',
  },
  {
    name: 'policies: each version has its audit entry',
    takenOut: {
      part: "'policy/' || an_id || '/' || added || '/' || left(text_hash, 16), an_event,",
      becomes: "'elsewhere', an_event,",
    },
    ...system,
    only: 'audit entry',
  },
  {
    name: 'policies: an altered text is published again by the right one',
    takenOut: { value: 'row.hash === hash' },
    ...system,
    only: 'altered',
  },
  {
    name: 'policies: no rollback to an altered text',
    takenOut: 'left out',
    ...system,
    only: 'altered',
  },
  {
    name: 'policies: no rollback to a text that is no policy any more',
    takenOut: { part: 'parsePolicyFile(earlier.source,', becomes: 'String(earlier.source +' },
    ...system,
    only: 'rolling a policy back',
  },
  {
    name: 'policies: an altered text is acted by nowhere',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/policies.test.ts', 'test/integration/altered-policy.test.ts'],
    only: 'altered',
  },
  {
    name: 'policies: the work list and the breaker name an altered text',
    takenOut: { value: '[]' },
    ...system,
    only: 'altered',
  },
  {
    name: 'policies: a lifecycle waits for the right text instead of giving up',
    takenOut: {
      part: 'whenAltered: typeof giveUp | typeof tryAgain = tryAgain',
      becomes: 'whenAltered: typeof giveUp | typeof tryAgain = giveUp',
    },
    project: 'system',
    tests: ['test/integration/policies.test.ts', 'test/integration/altered-policy.test.ts'],
    only: 'altered',
  },
  {
    name: 'policies: no worker starts where nobody could follow',
    takenOut: {
      part: 'if (error instanceof UnknownPolicyError) {',
      becomes: 'if (error instanceof UnknownPolicyError && false) {',
    },
    project: 'system',
    tests: ['test/integration/policy-commands.test.ts'],
    only: 'was never published, and ends',
  },
  {
    name: 'policies: no control characters are published',
    takenOut: {
      part: 'if (index < 0) return parsePolicyFile(text, file);',
      becomes: 'if (index < Number.MAX_SAFE_INTEGER) return parsePolicyFile(text, file);',
    },
    project: 'unit',
    tests: ['test/runtime/policy-input.test.ts'],
  },
  {
    name: 'policies: what is not UTF-8 is not published as something else',
    takenOut: { part: 'fatal: true', becomes: 'fatal: false' },
    project: 'unit',
    tests: ['test/runtime/policy-input.test.ts'],
  },
  {
    name: 'policies: no later version is published unseen',
    takenOut: { part: 'return latest === 0 ? undefined', becomes: 'return latest >= 0 ? undefined' },
    project: 'system',
    tests: ['test/integration/policy-preview.test.ts'],
    only: 'refused, and the error says both ways out',
  },
  {
    name: 'policies: a preview of another text is none',
    takenOut: {
      part: 'if (kept.policyHash !== policyHash(text))',
      becomes: 'if (kept.policyHash.length < text.length && false)',
    },
    project: 'system',
    tests: ['test/integration/policy-preview.test.ts'],
    only: 'on the preview of another text',
  },
  {
    name: 'policies: a preview whose population changed since is none',
    takenOut: {
      part: 'if (changes.length === 0) return again;',
      becomes: 'if (changes.length >= 0) return again;',
    },
    project: 'system',
    tests: ['test/integration/policy-preview.test.ts'],
    only: 'changed by more than is tolerated',
  },
  {
    name: 'roll-out: who sleeps past an earlier date is woken',
    takenOut: { part: 'dueAt < next.at - toleranceMs', becomes: 'dueAt < 0' },
    ...rollout,
    only: 'contractors',
  },
  {
    name: 'roll-out: nobody is woken whose date stays',
    takenOut: {
      part: 'if (!isEarlier(standing, dueAt)) return {};',
      becomes: 'if (dueAt === undefined) return {};',
    },
    ...rollout,
    only: 'contractors',
  },
  {
    name: 'roll-out: a pause is answered when the last signal is out',
    takenOut: { value: 'await condition(() => isOver)' },
    ...rollout,
    only: 'a roll-out that is paused',
  },
  {
    name: 'roll-out: what was cancelled stays cancelled',
    takenOut: { part: 'isCancelled: true });', becomes: '});' },
    ...rollout,
    only: 'cancelled in Temporal',
  },
];
