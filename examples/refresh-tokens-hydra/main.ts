/** Starts the example. In the repository `npm run example:refresh-tokens-hydra` sets the variables, and starts all servers first. */
import { randomBytes } from 'node:crypto';
import { createExample } from './app.js';

const { POSTGRES_URL = '', KRATOS_PUBLIC_URL = '', KRATOS_ADMIN_URL = '' } = process.env;
const { HYDRA_PUBLIC_URL = '', HYDRA_ADMIN_URL = '' } = process.env;

// Where the Hydra of the stack leads people to sign in.
const [host, port] = ['127.0.0.1', 4455];
const url = `http://${host}:${port}`;
const app = await createExample({
  postgresUrl: POSTGRES_URL,
  kratos: { publicUrl: KRATOS_PUBLIC_URL, adminUrl: KRATOS_ADMIN_URL },
  hydra: { publicUrl: HYDRA_PUBLIC_URL, adminUrl: HYDRA_ADMIN_URL },
  ...{ url, policyId: 'example-hydra', key: randomBytes(32).toString('base64') },
});
await app.listen({ host, port });
console.log(`${url}
Get tokens for example-phone, and refresh them:
  curl ${url}/refresh/example-phone -H 'content-type: application/json' -d '{"refreshToken":"<refresh_token>"}'
The same for example-spa is refused: it gets a new token by signing in alone, which takes no form while the session is live.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close());
