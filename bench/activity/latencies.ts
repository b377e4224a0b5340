/** Latencies of single requests, and their percentiles. */

export interface Percentiles {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export function percentiles(microseconds: Float64Array): Percentiles {
  const sorted = microseconds.slice().sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const round = (value: number) => Math.round(value * 10) / 10;
  return { p50Us: round(at(0.5)), p99Us: round(at(0.99)), maxUs: round(at(1)) };
}

/** Runs `requests` of them, `atATime` under way, and times each. */
export async function timeRequests(
  requests: number,
  atATime: number,
  request: (index: number) => void | Promise<void>,
): Promise<{ latencies: Float64Array; seconds: number }> {
  const latencies = new Float64Array(requests);
  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < requests) {
      const index = next;
      next += 1;
      const before = performance.now();
      const answer = request(index);
      if (answer instanceof Promise) await answer;
      latencies[index] = (performance.now() - before) * 1_000;
      // A site has other work between two requests: timers and sockets must get their turn.
      if (index % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  return { latencies, seconds: (performance.now() - startedAt) / 1_000 };
}
