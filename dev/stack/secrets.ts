/**
 * The stack's secrets: created at the first start, kept in the data directory, readable by their owner only.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { generateMasterKey } from '../../src/keys/master-keys.js';
import { generateSigningKey, privateJwkText } from '../../src/keys/signing-keys.js';
import { StackError } from './errors.js';
import { readFileIfAny, writeFileAtomically } from './files.js';

const firstSecrets = {
  /** Bearer token of the gateway. */
  serviceToken: z.string().min(32),
  postgresPassword: z.string().min(16),
  kratosCookieSecret: z.string().min(32),
  /** Kratos requires exactly 32 characters. */
  kratosCipherSecret: z.string().length(32),
  hydraSystemSecret: z.string().min(32),
  hydraCookieSecret: z.string().min(32),
};
/** A data directory that lacks one of these gets it at its next start. */
const laterSecrets = {
  /** API keys: for Kratos' hooks, for Hydra's token hook, for a mail provider's. */
  kratosHookKey: z.string().min(32),
  hydraHookKey: z.string().min(32),
  mailHookKey: z.string().min(32),
  /** Signs the heads of the audit log; a JWK. */
  auditSigningKey: z.string().startsWith('{'),
  /** Wraps the keys that personal data is encrypted with. */
  dataKey: z.string().length(43),
  /** Recognises identifiers of deleted accounts. */
  identifierKey: z.string().min(32),
  /** Password of the role that worker and gateway use. */
  runtimePassword: z.string().min(16),
};
const secretsSchema = z.object({ ...firstSecrets, ...laterSecrets });
const keptSchema = z.object({ ...firstSecrets, ...z.object(laterSecrets).partial().shape });
export type StackSecrets = z.infer<typeof secretsSchema>;

/** Reads the secrets, or creates them at the first start. */
export async function loadSecrets(path: string): Promise<StackSecrets> {
  const content = await readFileIfAny(path);
  const kept = content === undefined ? makeFirstSecrets() : parseSecrets(path, content);
  const secrets = secretsSchema.parse({ ...makeLaterSecrets(), ...kept });
  const text = `${JSON.stringify(secrets, null, 2)}\n`;
  if (text !== content) await writeFileAtomically(path, text);
  return secrets;
}

function makeFirstSecrets(): z.infer<typeof keptSchema> {
  return {
    serviceToken: randomText(32),
    postgresPassword: randomText(24),
    kratosCookieSecret: randomText(32),
    kratosCipherSecret: randomText(24),
    hydraSystemSecret: randomText(32),
    hydraCookieSecret: randomText(32),
  };
}

function makeLaterSecrets(): z.infer<z.ZodObject<typeof laterSecrets>> {
  return {
    kratosHookKey: randomText(32),
    hydraHookKey: randomText(32),
    mailHookKey: randomText(32),
    auditSigningKey: privateJwkText(generateSigningKey('ed25519')),
    dataKey: generateMasterKey(),
    identifierKey: randomText(32),
    runtimePassword: randomText(24),
  };
}

function parseSecrets(path: string, content: string): z.infer<typeof keptSchema> {
  try {
    return keptSchema.parse(JSON.parse(content));
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
