/**
 * Starts the example; with `--sliding` in the sliding mode. In the repository `npm run example:inactive-tokens` sets the variables, and
 * starts all servers first.
 */
import { randomBytes } from 'node:crypto';
import { createExample } from './app.js';

const { POSTGRES_URL = '', KRATOS_PUBLIC_URL = '', PORT = '4462' } = process.env;
const sliding = process.argv.includes('--sliding');

const app = await createExample({
  postgresUrl: POSTGRES_URL,
  kratosPublicUrl: KRATOS_PUBLIC_URL,
  secret: randomBytes(32),
  sliding,
  log: (fields, message) => console.log(message, JSON.stringify(fields)),
});
console.log(`${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}
Sign in, press "Work", and come back after ${sliding ? 10 : 20} minutes.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close());
