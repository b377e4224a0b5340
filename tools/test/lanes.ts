/** Which files of tests go in which lane, so that all lanes take about the same time. Pure. */

/** What each file took in the run that was recorded last, milliseconds, by its path in the repository. */
export type Durations = Readonly<Record<string, number>>;

export interface Lane {
  readonly files: readonly string[];
  /** By the durations, milliseconds. */
  readonly takesMs: number;
}

/**
 * Each file goes in the lane that is free first, the longest first. The same files and durations give the same lanes. A file without a
 * duration counts as the median of the others.
 * @param busyMs how long each lane is busy with something else
 * @returns a lane for each item of `busyMs`, its files by name
 */
export function lanesOf(
  files: readonly string[],
  durations: Durations,
  busyMs: readonly number[],
): readonly Lane[] {
  const usual = median(Object.values(durations));
  const takes = (file: string) => durations[file] ?? usual;
  const lanes = busyMs.map((takesMs) => ({ files: [] as string[], takesMs }));
  const longestFirst = [...files].sort((a, b) => takes(b) - takes(a) || compare(a, b));
  for (const file of longestFirst) {
    const lane = lanes.reduce((free, other) => (other.takesMs < free.takesMs ? other : free));
    lane.files.push(file);
    lane.takesMs += takes(file);
  }
  return lanes.map((lane) => ({ ...lane, files: lane.files.sort(compare) }));
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 1;
}
