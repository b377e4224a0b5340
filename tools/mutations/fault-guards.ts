/** Guards that only a fault shows: their tests are those of the fault harness. */
import type { Guard } from './guard.js';

export const faultGuards: readonly Guard[] = [
  {
    name: 'sessions minted while Hydra is asked are ended by a second pass',
    file: 'src/workflows/steps/rungs.ts',
    find: 'const second = await run.outside.kratos.endSessions({ identityId });',
    replace: 'const second = { ended: 0, authenticatedAt: 0 };',
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'minted',
  },
  {
    name: 'last look before the sessions of a revocation are ended',
    file: 'src/workflows/steps/rungs.ts',
    find: '{ identityId, look: lastLook(run, rung, since) }',
    replace: '{ identityId }',
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'nothing of it is done',
  },
  {
    name: 'not_before of a revocation waits for the last look',
    file: 'src/workflows/steps/rungs.ts',
    find: "const looksFirst = patched('revocation-looks');",
    replace: 'const looksFirst = false;',
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'nothing of it is done',
  },
  {
    name: 'a sign-in in the middle of a revocation brings the person back',
    file: 'src/workflows/steps/rungs.ts',
    find: 'if (authenticatedAt > 0) {',
    replace: 'if (false) {',
    project: 'faults',
    tests: ['test/faults/between.test.ts'],
    only: 'minted',
  },
  {
    name: "a shell's address is no change of address",
    file: 'src/workflows/steps/follow.ts',
    find: "if (run.state.rungs.delete !== undefined && patched('no-mail-follows-a-shell')) return false;",
    replace: '',
    project: 'faults',
    tests: ['test/faults/outside.test.ts'],
    only: 'exactly once',
  },
];
