/** How urgent the work is that calls an outside system: said once at its beginning, known in all calls below. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Most urgent first. `person`: a person or an operator waits for it. `step`: of one lifecycle. `sweep`: over many. */
export const urgencies = ['person', 'step', 'sweep'] as const;
export type Urgency = (typeof urgencies)[number];

interface Work {
  readonly urgency: Urgency;
  calls: number;
}

const storage = new AsyncLocalStorage<Work>();

/** Runs `work`, and everything that it calls, with this urgency. */
export function withUrgency<T>(urgency: Urgency, work: () => Promise<T>): Promise<T> {
  return storage.run({ urgency, calls: 0 }, work);
}

/**
 * Notes one more call of the present work.
 * @returns its urgency, and whether the work has made a call before; without work: a person waits
 */
export function noteCall(): { readonly urgency: Urgency; readonly isUnderWay: boolean } {
  const work = storage.getStore();
  if (work === undefined) return { urgency: 'person', isUnderWay: false };
  work.calls += 1;
  return { urgency: work.urgency, isUnderWay: work.calls > 1 };
}
