/** The stack's secrets: made at the first start, kept in the data directory, readable by its owner only. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { StackError } from './errors.js';
import { readFileIfAny, writeFileAtomically } from './files.js';

const secretsSchema = z.object({
  /** Bearer token of the gateway. */
  serviceToken: z.string().min(32),
  postgresPassword: z.string().min(16),
  kratosCookieSecret: z.string().min(32),
  /** Kratos takes exactly 32 characters. */
  kratosCipherSecret: z.string().length(32),
  hydraSystemSecret: z.string().min(32),
  hydraCookieSecret: z.string().min(32),
});
export type StackSecrets = z.infer<typeof secretsSchema>;

/** Reads the secrets, or makes them at the first start. */
export async function loadSecrets(path: string): Promise<StackSecrets> {
  const content = await readFileIfAny(path);
  if (content !== undefined) return parseSecrets(path, content);
  const secrets: StackSecrets = {
    serviceToken: randomText(32),
    postgresPassword: randomText(24),
    kratosCookieSecret: randomText(32),
    kratosCipherSecret: randomText(24),
    hydraSystemSecret: randomText(32),
    hydraCookieSecret: randomText(32),
  };
  await writeFileAtomically(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function parseSecrets(path: string, content: string): StackSecrets {
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
