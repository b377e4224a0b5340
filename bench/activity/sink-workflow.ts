/** For the baseline of one signal a request: a workflow that does with a signal what a sleeping lifecycle does, and no more. */
import { condition, continueAsNew, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';

export const seen = defineSignal<[{ at: number }]>('userActivity');

export async function activitySink(lastActiveAt: number): Promise<void> {
  let latest = lastActiveAt;
  setHandler(seen, ({ at }) => {
    latest = Math.max(latest, at);
  });
  await condition(() => workflowInfo().historyLength > 200);
  await continueAsNew<typeof activitySink>(latest);
}
