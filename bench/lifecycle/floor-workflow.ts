/** The floor: what Temporal itself takes for a deadline. A workflow sleeps until it and runs one empty activity. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import type { FloorActivities } from './floor.js';

const { nothing } = proxyActivities<FloorActivities>({ startToCloseTimeout: 60_000 });

/** @param deadline epoch milliseconds */
export async function floor(deadline: number): Promise<void> {
  await sleep(Math.max(1, deadline - Date.now()));
  await nothing();
}
