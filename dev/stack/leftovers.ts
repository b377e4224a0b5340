/**
 * Parts of an earlier stack that was killed. The data directory lists them, so that the
 * next start ends them. Node only.
 */
import { z } from 'zod';
import { readFileIfAny, writeFileAtomically } from './files.js';
import { identifyProcess, isProcessAlive, processIdentitySchema, signalProcess } from './process-identity.js';
import { waitUntil } from './wait-until.js';

const recordSchema = z.array(processIdentitySchema.extend({ name: z.string(), stopSignal: z.string() }));
type ChildRecord = z.infer<typeof recordSchema>[number];

const graceMs = 5000;

/** Records the running children. Call it after each start. */
export class ChildRegister {
  private readonly records: ChildRecord[] = [];
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly path: string) {}

  async add(name: string, pid: number, stopSignal: NodeJS.Signals): Promise<void> {
    const identity = await identifyProcess(pid);
    if (identity === undefined) return;
    this.records.push({ ...identity, name, stopSignal });
    const content = JSON.stringify(this.records, null, 2);
    this.writing = this.writing.then(() => writeFileAtomically(this.path, content));
    await this.writing;
  }
}

/**
 * Ends recorded children that still run.
 * @returns their names.
 */
export async function endLeftovers(path: string): Promise<string[]> {
  const alive: ChildRecord[] = [];
  for (const record of await readRecords(path)) {
    if (await isProcessAlive(record)) alive.push(record);
  }
  await Promise.all(alive.map(endProcess));
  return alive.map((record) => record.name);
}

async function readRecords(path: string): Promise<ChildRecord[]> {
  try {
    return recordSchema.parse(JSON.parse((await readFileIfAny(path)) ?? '[]'));
  } catch {
    return [];
  }
}

async function endProcess(record: ChildRecord): Promise<void> {
  signalProcess(record.pid, record.stopSignal === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  const ended = async () => !(await isProcessAlive(record));
  if (await waitUntil(ended, { timeoutMs: graceMs })) return;
  signalProcess(-record.pid, 'SIGKILL');
  await waitUntil(ended, { timeoutMs: graceMs });
}
