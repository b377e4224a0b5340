/** Notices that a person comes back to the page. */

/**
 * @param onBack called where the page may have stood still for a while. `isFromCache`: it comes from the back/forward cache
 * @param signal ends the watch
 */
export function watchComingBack(onBack: (isFromCache: boolean) => void, signal: AbortSignal): void {
  const back = ({ persisted }: Partial<PageTransitionEvent>) => onBack(persisted === true);
  for (const type of ['visibilitychange', 'resume']) document.addEventListener(type, back, { signal });
  for (const type of ['focus', 'pageshow']) addEventListener(type, back, { signal });
}
