/** `stack.json`: the addresses of a running stack. Node only. */
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { parseJson } from '../../src/process/parse-json.js';
import { dataDirectoryAt } from './data-directory.js';
import { readFileIfAny, writeFileAtomically } from './files.js';
import { identifyProcess, isProcessAlive, processIdentitySchema } from './process-identity.js';
import type { StackInfo } from './types.js';

const infoSchema = z.object({
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string() }),
  postgres: z.object({ url: z.string(), runtimeUrl: z.string() }),
  kratos: z.object({ publicUrl: z.string(), adminUrl: z.string() }),
  hydra: z.object({ publicUrl: z.string(), adminUrl: z.string() }),
  mail: z.object({ smtpUrl: z.string(), webUrl: z.string(), apiUrl: z.string() }),
  gateway: z.object({
    url: z.string(),
    serviceToken: z.string(),
    hookKeys: z.object({ kratos: z.string(), hydra: z.string(), mail: z.string() }),
  }),
  keys: z.object({ auditSigningKey: z.string(), dataKey: z.string(), identifierKey: z.string() }),
}) satisfies z.ZodType<StackInfo>;
const fileSchema = infoSchema.extend({ stack: processIdentitySchema });

/** Writes the file for this process, unreadable for other users. */
export async function writeStackInfo(path: string, info: StackInfo): Promise<void> {
  const stack = await identifyProcess(process.pid);
  await writeFileAtomically(path, `${JSON.stringify({ ...info, stack }, null, 2)}\n`, 0o600);
}

export async function removeStackInfo(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * Finds the running stack of a data directory.
 * @returns its addresses, or `undefined` when none is ready there: no file, or the
 * process that wrote it is gone.
 */
export async function readRunningStack(dataDirectory: string): Promise<StackInfo | undefined> {
  const content = await readFileIfAny(dataDirectoryAt(dataDirectory).infoFile);
  if (content === undefined) return undefined;
  const parsed = fileSchema.safeParse(parseJson(content));
  if (!parsed.success) return undefined;
  const { stack, ...info } = parsed.data;
  return (await isProcessAlive(stack)) ? info : undefined;
}
