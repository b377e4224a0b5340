/**
 * The exporter of Temporal's SDK: schedule-to-start latencies, slots, pollers, failures, and what workflows measure themselves. The SDK
 * listens by itself, so it gets a free port of the loopback address, and the process' own listener hands its page on.
 */
import { createServer } from 'node:net';
import type { MetricsExporterConfig } from '@temporalio/worker';
import { latenessBucketsSeconds, latenessMetric } from '../workflows/metric-names.js';

export interface SdkMetrics {
  /** For `Runtime.install`. */
  readonly exporter: MetricsExporterConfig;
  /** @returns the page; a line that says it is down where the SDK does not answer. Never rejects. */
  read(): Promise<string>;
}

const upHelp =
  "# HELP dormouse_sdk_metrics_up Whether the exporter of Temporal's SDK answered.\n# TYPE dormouse_sdk_metrics_up gauge\n";

export async function prepareSdkMetrics(timeoutMs = 2_000): Promise<SdkMetrics> {
  const bindAddress = `127.0.0.1:${await freePort()}`;
  return {
    exporter: {
      temporality: 'cumulative',
      prometheus: {
        bindAddress,
        countersTotalSuffix: true,
        unitSuffix: true,
        useSecondsForDurations: true,
        histogramBucketOverrides: { [latenessMetric]: [...latenessBucketsSeconds] },
      },
    },
    async read() {
      try {
        const answer = await fetch(`http://${bindAddress}/metrics`, {
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (answer.ok) return `${upHelp}dormouse_sdk_metrics_up 1\n${await answer.text()}`;
      } catch {
        // Said by the line below.
      }
      return `${upHelp}dormouse_sdk_metrics_up 0\n`;
    },
  };
}

/** The SDK does not tell which port it took, so it can't be asked to take any. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string')
    throw new Error('the loopback address has no free port');
  return address.port;
}
