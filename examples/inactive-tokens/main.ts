/** `npm run example:inactive-tokens`, or with `-- --sliding`: the example on the embedded stack. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { readRunningStack, startStack } from '../../dev/stack/index.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { createExample } from './app.js';

const port = 4462;
const sliding = process.argv.includes('--sliding');
const dataDirectory = join(projectDirectory, '.stack');
const running = await readRunningStack(dataDirectory);
const stack = running === undefined ? await startStack({ dataDirectory, report: console.log }) : undefined;
const info = running ?? stack?.info;
if (info === undefined) throw new Error('the stack did not start');

const person = await new OryPeople(info).create('example');
const app = await createExample({
  postgresUrl: info.postgres.runtimeUrl,
  kratosPublicUrl: info.kratos.publicUrl,
  secret: randomBytes(32),
  sliding,
  log: (fields, message) => console.log(message, JSON.stringify(fields)),
});
const url = await app.listen({ host: '127.0.0.1', port });
console.log(`
${url}
  e-mail    ${person.email}
  password  ${person.password}
Sign in, press "Work", and come back after ${sliding ? 10 : 20} minutes. Ctrl-C stops.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await app.close();
    await stack?.stop();
    process.exit(0);
  });
}
