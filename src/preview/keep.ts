/** Runs a preview and keeps its answer, so that a publication can rest on it: for the API and for the desk. */
import type { Comparison } from './comparison.js';
import { oneAtATime } from './one-at-a-time.js';
import type { PeopleDependencies } from './people.js';
import { keepPreview } from './previews-table.js';
import { type Preview, type PreviewRequest, runPreview } from './run.js';
import { Worst } from './worst.js';

export interface KeptPreview {
  readonly preview: Preview;
  /** Those whom its page lists. */
  readonly worst: readonly Comparison[];
}

/** @throws PreviewUnderWayError, UnknownPolicyError, AlteredPolicyError, and what reading Kratos throws */
export function runAndKeepPreview(deps: PeopleDependencies, request: PreviewRequest): Promise<KeptPreview> {
  return oneAtATime(() => runAndKeep(deps, request));
}

async function runAndKeep(deps: PeopleDependencies, request: PreviewRequest): Promise<KeptPreview> {
  const worst = new Worst();
  const preview = await runPreview(deps, {
    ...request,
    onPerson: (person) => {
      worst.add(person);
      request.onPerson?.(person);
    },
  });
  await keepPreview(deps.pool, preview);
  return { preview, worst: worst.sorted };
}
