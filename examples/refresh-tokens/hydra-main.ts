/** `npm run example:refresh-tokens:hydra`: the example with Hydra, on an embedded stack of its own. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { startStack } from '../../dev/stack/index.js';
import { createHydraExample } from './hydra-app.js';

// Where the embedded Hydra leads people to sign in.
const [host, port] = ['127.0.0.1', 4455];
const url = `http://${host}:${port}`;
const stack = await startStack({
  ...{ dataDirectory: 'unused', ephemeral: true, report: console.log },
  policyFile: fileURLToPath(new URL('./policy.yaml', import.meta.url)),
});
const { postgres, kratos, hydra } = stack.info;
const { email, password } = await new OryPeople(stack.info).create('example');
const app = await createHydraExample({
  ...{ postgresUrl: postgres.runtimeUrl, kratos, hydra, url, policyId: 'example-hydra' },
  key: randomBytes(32).toString('base64'),
});
await app.listen({ host, port });
console.log(`
${url}
  e-mail    ${email}
  password  ${password}
Get tokens for example-phone, and refresh them:
  curl ${url}/refresh/example-phone -H 'content-type: application/json' -d '{"refreshToken":"<refresh_token>"}'
The same for example-spa is refused: it gets a new token by signing in alone, which takes no form while the session is live.
Ctrl-C stops.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await app.close();
    await stack.stop();
    process.exit(0);
  });
}
