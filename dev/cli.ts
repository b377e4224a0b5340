/**
 * `npm run dormouse`: the command line, on the stack that `npm start` runs here, unless the
 * environment names another system.
 */
import { join } from 'node:path';
import { readRunningStack } from './stack/index.js';
import { projectDirectory } from './stack/project.js';
import type { StackInfo } from './stack/types.js';

/** All variables or none: parts of two systems must never be mixed. */
function environmentOf({ temporal, postgres, keys }: StackInfo): Record<string, string> {
  return {
    DORMOUSE_TEMPORAL_ADDRESS: temporal.address,
    DORMOUSE_TEMPORAL_NAMESPACE: temporal.namespace,
    DORMOUSE_POSTGRES_URL: postgres.runtimeUrl,
    DORMOUSE_POSTGRES_MIGRATION_URL: postgres.url,
    DORMOUSE_AUDIT_SIGNING_KEY: keys.auditSigningKey,
    DORMOUSE_DATA_KEY: keys.dataKey,
  };
}

const namesItsSystem = Object.keys(process.env).some((name) => name.startsWith('DORMOUSE_POSTGRES_'));
const stack = namesItsSystem ? undefined : await readRunningStack(join(projectDirectory, '.stack'));
if (stack !== undefined) Object.assign(process.env, environmentOf(stack));
await import('../src/cli.js');
