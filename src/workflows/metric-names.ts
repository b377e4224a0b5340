/** What workflows measure, named for those who export it. Pure. */

/** How late after its due instant a deed was done. Seconds. */
export const latenessMetric = 'dormouse_deed_lateness_seconds';

/** From "at once" to "a week": a released hold or breaker lets late deeds pass. */
export const latenessBucketsSeconds = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 604_800] as const;
