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
];
