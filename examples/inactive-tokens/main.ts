/** `npm run example:inactive-tokens`, or with `-- --sliding`: the example on the embedded stack. */
import { randomBytes } from 'node:crypto';
import { bundleTokensScript } from '../../tools/packages/pack-browser.js';
import { runExample } from '../run.js';
import { createExample } from './app.js';

const sliding = process.argv.includes('--sliding');

await runExample(
  4462,
  async ({ postgres, kratos }) =>
    createExample({
      postgresUrl: postgres.runtimeUrl,
      kratosPublicUrl: kratos.publicUrl,
      secret: randomBytes(32),
      sliding,
      script: Buffer.from(await bundleTokensScript()).toString(),
      log: (fields, message) => console.log(message, JSON.stringify(fields)),
    }),
  (url, { email, password }) => `${url}
  e-mail    ${email}
  password  ${password}
Sign in, press "Work", and come back after ${sliding ? 10 : 20} minutes.`,
);
