/** `npm run example:idle-sessions`: the example on the embedded stack. */
import { bundleScript } from '../../tools/packages/pack-browser.js';
import { runExample } from '../run.js';
import { createExample } from './app.js';

await runExample(
  4460,
  async ({ postgres, kratos }) =>
    createExample({
      postgresUrl: postgres.runtimeUrl,
      kratos,
      script: Buffer.from(await bundleScript()).toString(),
      log: (fields, message) => console.log(message, JSON.stringify(fields)),
    }),
  (url, { email, password }) => `${url}
  e-mail    ${email}
  password  ${password}
Sign in, leave the keyboard for two minutes, and be warned.`,
);
