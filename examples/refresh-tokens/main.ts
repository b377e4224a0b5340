/** Starts the example. In the repository `npm run example:refresh-tokens` sets the variables, and starts all servers first. */
import { randomBytes } from 'node:crypto';
import { createExample } from './app.js';

const { POSTGRES_URL = '', KRATOS_PUBLIC_URL = '', PORT = '4461' } = process.env;
const { EXAMPLE_IDENTIFIER: identifier = '<e-mail>', EXAMPLE_PASSWORD: password = '<password>' } =
  process.env;
const json = "-H 'content-type: application/json'";

const app = await createExample({
  postgresUrl: POSTGRES_URL,
  kratosPublicUrl: KRATOS_PUBLIC_URL,
  key: randomBytes(32).toString('base64'),
  signingKey: randomBytes(32),
});
const url = await app.listen({ host: '127.0.0.1', port: Number(PORT) });
console.log(`curl ${url}/login ${json} -d '${JSON.stringify({ identifier, password, device: 'My phone' })}'
curl ${url}/me -H 'authorization: Bearer <accessToken>'
curl ${url}/refresh-tokens/exchange ${json} -d '{"refreshToken":"<refreshToken>"}'
curl ${url}/refresh-tokens -H 'authorization: Bearer <accessToken>'
curl -X POST ${url}/refresh-tokens/revoke-all -H 'authorization: Bearer <accessToken>'
Exchange a token twice at once, and once more after ten seconds.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close());
