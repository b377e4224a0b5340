/** Guards of what operators and probes see. */
import type { Guard } from './guard.js';

const listener = ['test/observability/listener.test.ts'];
const shared = ['test/observability/shared-check.test.ts'];

export const observabilityGuards: readonly Guard[] = [
  {
    name: 'readiness: a foreign error is not repeated to whoever asks',
    takenOut: {
      part: '} catch { return `did not',
      becomes: `} catch (error) { return \`\${String(error)} did not`,
    },
    project: 'unit',
    tests: listener,
    only: 'repeats nothing of a foreign error',
  },
  {
    name: 'readiness: a process that is starting gets no work',
    takenOut: 'left out',
    project: 'unit',
    tests: listener,
    only: 'until everything is loaded',
  },
  {
    name: 'readiness: a process that ends gets no work',
    takenOut: 'left out',
    project: 'unit',
    tests: listener,
    only: 'as soon as the process shuts down',
  },
  {
    name: 'checks: many callers cause one question',
    takenOut: { condition: true },
    project: 'unit',
    tests: shared,
    only: 'ten thousand callers',
  },
  {
    name: 'traces: a stranger continues no trace',
    takenOut: {
      part: "findPrincipal(request) === undefined ? 'none' : (presented(request) ?? 'none')",
      becomes: "presented(request) ?? 'none'",
    },
    project: 'system',
    tests: ['test/integration/traces.test.ts'],
    only: 'a stranger',
  },
  {
    name: 'metrics: a port alone is one of the loopback address',
    takenOut: { value: "'0.0.0.0'" },
    project: 'unit',
    tests: listener,
    only: 'is an address',
  },
];
