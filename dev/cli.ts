/**
 * `npm run dormouse`: the command line, on the stack that `npm start` runs here, unless the
 * environment names another system.
 */
import { join } from 'node:path';
import { readRunningStack } from './stack/index.js';
import { projectDirectory } from './stack/project.js';
import { variablesOf } from './stack/variables.js';

const namesItsSystem = Object.keys(process.env).some((name) => name.startsWith('DORMOUSE_POSTGRES_'));
const stack = namesItsSystem ? undefined : await readRunningStack(join(projectDirectory, '.stack'));
if (stack !== undefined) Object.assign(process.env, variablesOf(stack));
await import('../src/cli.js');
