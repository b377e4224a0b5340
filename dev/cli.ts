/**
 * `npm run dormouse`: the command line, on the stack that `npm start` runs here, unless the
 * environment names another system.
 */
import { join } from 'node:path';
import { readRunningStack } from './stack/index.js';
import { operatorCredential } from './stack/operator-credential.js';
import { projectDirectory } from './stack/project.js';
import { variablesOf } from './stack/variables.js';

const stackDirectory = join(projectDirectory, '.stack');
const namesItsSystem = Object.keys(process.env).some((name) => name.startsWith('DORMOUSE_POSTGRES_'));
const stack = namesItsSystem ? undefined : await readRunningStack(stackDirectory);
if (stack !== undefined) {
  Object.assign(process.env, variablesOf(stack));
  if (!process.env.DORMOUSE_GATEWAY) {
    process.env.DORMOUSE_GATEWAY = stack.gateway.url;
    process.env.DORMOUSE_TOKEN = await operatorCredential(stack, stackDirectory);
  }
}
await import('../src/cli.js');
