/** Who dies at which call: shared by the test and the worker that it kills. Node only. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const workerSettings = z.object({
  directory: z.string(),
  address: z.string(),
  taskQueue: z.string(),
  workflowBundlePath: z.string(),
});
export type WorkerSettings = z.infer<typeof workerSettings>;

const kill = z.object({ call: z.string(), moment: z.enum(['before', 'after']) });
export type Kill = z.infer<typeof kill>;
const planSchema = z.record(z.string(), kill);

const planFile = (directory: string) => join(directory, 'plan.json');

export function writeKillPlan(directory: string, plan: Readonly<Record<string, Kill>>): void {
  writeFileSync(planFile(directory), JSON.stringify(plan));
}

export function readKillPlan(directory: string): Record<string, Kill> {
  const file = planFile(directory);
  return existsSync(file) ? planSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : {};
}

export const wasKilled = (directory: string, identityId: string): boolean =>
  existsSync(join(directory, `killed-${identityId}`));

/** The calls of a lifecycle in order: `assess#1`, `record#1`, … */
export function callsOf(directory: string, identityId: string): string[] {
  const file = join(directory, `calls-${identityId}`);
  if (!existsSync(file)) return [];
  const counts = new Map<string, number>();
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const type = line.split(' ')[0] ?? '';
      const nth = (counts.get(type) ?? 0) + 1;
      counts.set(type, nth);
      return `${type}#${nth}`;
    });
}
