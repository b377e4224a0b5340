/** Opens a harness on the stack that is started once for all files of a run. */
import { inject } from 'vitest';
import type { StackInfo } from '../../../dev/stack/index.js';
import { clearBreaker } from '../clear-breaker.js';
import { forgetWitnesses } from '../kratos-database.js';
import { openFreshDatabase } from '../system-database.js';
import { Harness } from './harness.js';
import { Journey } from './journey.js';
import { SkippingTime } from './skipping-time.js';
import { realTime } from './time.js';

export type { Harness } from './harness.js';
export type { Journey } from './journey.js';
export type { EnrolOptions, LifecycleHandle } from './lifecycles.js';

export interface HarnessOptions {
  /** `real`: on the stack's Temporal. `skipping`: on a time-skipping server of its own. Default: `real`. */
  readonly time?: 'real' | 'skipping';
  /** Laid over the stack's `DORMOUSE_*` variables, for all workers. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `own`: a migrated one, dropped at the end. Or one that the caller opened and closes. Default: the one that all files share. */
  readonly database?: 'own' | { readonly url: string };
  /** Default: the one that all files share. */
  readonly stack?: { readonly info: StackInfo; readonly environment: Record<string, string> };
}

export function openHarness(options: HarnessOptions & { readonly time: 'skipping' }): Promise<Journey>;
export function openHarness(options?: HarnessOptions): Promise<Harness>;
export async function openHarness({
  time = 'real',
  environment = {},
  database,
  stack = { info: inject('stack'), environment: inject('environment') },
}: HarnessOptions = {}): Promise<Harness> {
  const own = database === 'own' ? await openFreshDatabase() : undefined;
  const url = own?.url ?? (database as { url: string } | undefined)?.url;
  const { postgres } = stack.info;
  const parts = {
    stack:
      url === undefined ? stack.info : { ...stack.info, postgres: { ...postgres, url, runtimeUrl: url } },
    environment: {
      ...stack.environment,
      ...(url === undefined ? {} : { DORMOUSE_POSTGRES_URL: url }),
      ...environment,
    },
    workflowBundlePath: inject('workflowBundlePath'),
    ...(own && { closed: () => own.close() }),
  };
  const harness =
    time === 'real'
      ? new Harness({ ...parts, time: await realTime(stack.info) })
      : new Journey({ ...parts, time: await SkippingTime.start(inject('timeSkippingServerPath')) });
  // Journeys go through the same days one after another: the breaker must not count the acts of all of them together.
  if (time === 'skipping') {
    await clearBreaker(harness.pool);
    await forgetWitnesses(harness.pool);
  }
  return harness;
}
