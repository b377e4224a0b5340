/**
 * Measures how late deeds are. Temporal's own meter, because it is silent during a replay and writes nothing into the history.
 */
import { metricMeter } from '@temporalio/workflow';
import type { RungName } from '../domain/rungs.js';
import { latenessMetric } from './metric-names.js';

/**
 * @param kind whether the rung itself was carried out, or a notice of it given
 * @param dueAt epoch milliseconds
 * @param doneAt epoch milliseconds
 */
export function measureLateness(
  kind: 'rung' | 'notice',
  rung: RungName,
  dueAt: number,
  doneAt: number,
): void {
  metricMeter
    .createHistogram(latenessMetric, 'float', undefined, 'How late after its due instant a deed was done.')
    .record(Math.max(0, doneAt - dueAt) / 1_000, { kind, rung });
}
