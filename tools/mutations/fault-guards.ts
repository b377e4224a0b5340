/** Guards that only a fault shows: their tests are those of the fault harness. */
import type { Guard } from './guard.js';

export const faultGuards: readonly Guard[] = [
  {
    name: 'sessions minted while Hydra is asked are ended by a second pass',
    takenOut: { value: '{ ended: 0, authenticatedAt: 0 }' },
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'minted',
  },
  {
    name: 'last look before the sessions of a revocation are ended',
    takenOut: { part: '{ identityId, look: lastLook(run, rung, since) }', becomes: '{ identityId }' },
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'nothing of it is done',
  },
  {
    name: 'not_before of a revocation waits for the last look',
    takenOut: { value: 'false' },
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'nothing of it is done',
  },
  {
    name: 'a sign-in in the middle of a revocation brings the person back',
    takenOut: { condition: false },
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'minted',
  },
  {
    name: "a shell's address is no change of address",
    takenOut: 'left out',
    project: 'faults',
    tests: ['test/faults/outside.test.ts'],
    only: 'exactly once',
  },
];
