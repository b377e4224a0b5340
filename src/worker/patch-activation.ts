/** Which changes of course this worker begins. */
import type { PatchActivationCallback } from '@temporalio/worker';
import { compareReleases } from '../process/release.js';
import { patchReleases } from '../workflows/patches.js';

/**
 * Keeps the way back open: while it is set, no lifecycle begins a change of course that the release to go back to does not
 * know, so that release can replay every history. What was begun before goes on.
 * @param rollbackTo `0.1.0`; absent: every change is begun
 */
export function patchActivation(
  rollbackTo: string | undefined,
  releases: Readonly<Record<string, string>> = patchReleases,
): PatchActivationCallback {
  return ({ patchId }) => {
    if (rollbackTo === undefined) return true;
    // A change that is not in the list belongs to no release, so the older one does not know it either.
    const release = Object.hasOwn(releases, patchId) ? releases[patchId] : undefined;
    return release !== undefined && compareReleases(release, rollbackTo) <= 0;
  };
}
