/** Which changes of course this worker starts. */
import type { PatchActivationCallback } from '@temporalio/worker';
import { compareReleases } from '../process/release.js';
import { patchReleases } from '../workflows/patches.js';

/**
 * Keeps a rollback possible: while it is set, no lifecycle starts a change of course that the release to roll
 * back to does not know. That release can then replay every history. Changes started before continue.
 * @param rollbackTo `0.1.0`; absent: every change is started
 */
export function patchActivation(
  rollbackTo: string | undefined,
  releases: Readonly<Record<string, string>> = patchReleases,
): PatchActivationCallback {
  return ({ patchId }) => {
    if (rollbackTo === undefined) return true;
    // A change that is not in the list belongs to no release, so the older release does not know it either.
    const release = Object.hasOwn(releases, patchId) ? releases[patchId] : undefined;
    return release !== undefined && compareReleases(release, rollbackTo) <= 0;
  };
}
