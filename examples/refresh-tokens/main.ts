/** `npm run example:refresh-tokens`: the example on the embedded stack. */
import { randomBytes } from 'node:crypto';
import { runExample } from '../run.js';
import { createExample } from './app.js';

const json = "-H 'content-type: application/json'";

await runExample(
  4461,
  ({ postgres, kratos }) =>
    createExample({
      postgresUrl: postgres.runtimeUrl,
      kratosPublicUrl: kratos.publicUrl,
      key: randomBytes(32).toString('base64'),
      signingKey: randomBytes(32),
    }),
  (url, { identifier, password }) =>
    `curl ${url}/login ${json} -d '${JSON.stringify({ identifier, password, device: 'My phone' })}'
curl ${url}/me -H 'authorization: Bearer <accessToken>'
curl ${url}/refresh-tokens/exchange ${json} -d '{"refreshToken":"<refreshToken>"}'
curl ${url}/refresh-tokens -H 'authorization: Bearer <accessToken>'
curl -X POST ${url}/refresh-tokens/revoke-all -H 'authorization: Bearer <accessToken>'
Exchange a token twice at once, and once more after ten seconds.`,
);
