/** `npm run example:refresh-tokens`: the example on the embedded stack. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { readRunningStack, startStack } from '../../dev/stack/index.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { createExample } from './app.js';

const port = 4461;
const dataDirectory = join(projectDirectory, '.stack');
const running = await readRunningStack(dataDirectory);
const stack = running === undefined ? await startStack({ dataDirectory, report: console.log }) : undefined;
const info = running ?? stack?.info;
if (info === undefined) throw new Error('the stack did not start');

const person = await new OryPeople(info).create('example');
const app = await createExample({
  postgresUrl: info.postgres.runtimeUrl,
  kratosPublicUrl: info.kratos.publicUrl,
  key: randomBytes(32).toString('base64'),
  signingKey: randomBytes(32),
});
const url = await app.listen({ host: '127.0.0.1', port });
const json = "-H 'content-type: application/json'";
console.log(`
curl ${url}/login ${json} -d '${JSON.stringify({ identifier: person.identifier, password: person.password, device: 'My phone' })}'
curl ${url}/me -H 'authorization: Bearer <accessToken>'
curl ${url}/refresh-tokens/exchange ${json} -d '{"refreshToken":"<refreshToken>"}'
curl ${url}/refresh-tokens -H 'authorization: Bearer <accessToken>'
curl -X POST ${url}/refresh-tokens/revoke-all -H 'authorization: Bearer <accessToken>'
Exchange a token twice at once, and once more after ten seconds. Ctrl-C stops.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await app.close();
    await stack?.stop();
    process.exit(0);
  });
}
