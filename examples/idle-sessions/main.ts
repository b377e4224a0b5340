/** Starts the example. In the repository `npm run example:idle-sessions` sets the variables, and starts all servers first. */
import { createExample } from './app.js';

const { POSTGRES_URL = '', KRATOS_PUBLIC_URL = '', KRATOS_ADMIN_URL = '', PORT = '4460' } = process.env;

const app = await createExample({
  postgresUrl: POSTGRES_URL,
  kratos: { publicUrl: KRATOS_PUBLIC_URL, adminUrl: KRATOS_ADMIN_URL },
  log: (fields, message) => console.log(message, JSON.stringify(fields)),
});
console.log(`${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}
Sign in, leave the keyboard for two minutes, and be warned.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close());
