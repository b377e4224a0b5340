/** The stack's secrets: made at the first start, kept in the data directory, readable by its owner only. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { StackError } from './errors.js';
import { readFileIfAny, writeFileAtomically } from './files.js';

const secretsSchema = z.object({
  /** Bearer token of the gateway. */
  serviceToken: z.string().min(32),
  /** API key of the hooks of Kratos and Hydra. A data directory from before there were hooks gets one at its next start. */
  hookKey: z.string().min(32).optional(),
  postgresPassword: z.string().min(16),
  kratosCookieSecret: z.string().min(32),
  /** Kratos takes exactly 32 characters. */
  kratosCipherSecret: z.string().length(32),
  hydraSystemSecret: z.string().min(32),
  hydraCookieSecret: z.string().min(32),
});
export type StackSecrets = z.infer<typeof secretsSchema> & { hookKey: string };

/** Reads the secrets, or makes them at the first start. */
export async function loadSecrets(path: string): Promise<StackSecrets> {
  const content = await readFileIfAny(path);
  if (content !== undefined) return withHookKey(path, parseSecrets(path, content));
  const secrets: StackSecrets = {
    serviceToken: randomText(32),
    hookKey: randomText(32),
    postgresPassword: randomText(24),
    kratosCookieSecret: randomText(32),
    kratosCipherSecret: randomText(24),
    hydraSystemSecret: randomText(32),
    hydraCookieSecret: randomText(32),
  };
  await writeSecrets(path, secrets);
  return secrets;
}

function writeSecrets(path: string, secrets: StackSecrets): Promise<void> {
  return writeFileAtomically(path, `${JSON.stringify(secrets, null, 2)}\n`);
}

async function withHookKey(path: string, kept: z.infer<typeof secretsSchema>): Promise<StackSecrets> {
  if (kept.hookKey !== undefined) return { ...kept, hookKey: kept.hookKey };
  const secrets = { ...kept, hookKey: randomText(32) };
  await writeSecrets(path, secrets);
  return secrets;
}

function parseSecrets(path: string, content: string): z.infer<typeof secretsSchema> {
  try {
    return secretsSchema.parse(JSON.parse(content));
  } catch (error) {
    throw new StackError(
      `${path} is damaged. Start again with "npm start -- --fresh" (removes the local data).`,
      {
        cause: error,
      },
    );
  }
}

/** Four characters of base64url for every three bytes. */
function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
